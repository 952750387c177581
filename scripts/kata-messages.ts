// packages/wire/src/kata/messages/ is made from packages/wire/proto/: node scripts/kata-messages.ts writes it anew.
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseProto } from "./proto/parse-proto.ts";
import { renderMessages, TypeIndex } from "./proto/render-messages.ts";
import { renderServices } from "./proto/render-services.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, "packages/wire/src/kata/messages");

/** The files and what belongs into them. */
function renderAll(): { path: string; text: string }[] {
  const files = globSync("packages/wire/proto/*.proto", { cwd: root })
    .sort()
    .map((path) => parseProto(readFileSync(join(root, path), "utf8"), basename(path, ".proto")));
  const index = new TypeIndex(files);
  const sources = files.map((file) => ({ name: file.name, text: renderMessages(file, index) }));
  sources.push({ name: "services", text: renderServices(files, index) });
  return sources.map(({ name, text }) => {
    const path = join(folder, `${name}.ts`);
    return { path, text: format(text, path) };
  });
}

function format(source: string, path: string): string {
  const biome = join(root, "node_modules/.bin/biome");
  const args = ["check", "--write", `--stdin-file-path=${path}`];
  return execFileSync(biome, args, { cwd: root, input: source, encoding: "utf8", stdio: "pipe" });
}

/** The files that are not what the .proto files say. */
export function findStaleMessages(): string[] {
  return renderAll()
    .filter(({ path, text }) => readFileSync(path, "utf8") !== text)
    .map(({ path }) => basename(path));
}

if (import.meta.main) for (const { path, text } of renderAll()) writeFileSync(path, text);
