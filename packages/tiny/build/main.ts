/** The command `tiny`. */
import { parseArgs } from "node:util";
import { buildProgram } from "./program.ts";

const USAGE = "usage: tiny build ENTRY.ts -o PROGRAM";

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { output: { type: "string", short: "o" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    console.log(`${USAGE}\n\nMakes a static Linux program of a TypeScript file, with QuickJS inside.`);
    return;
  }
  const [command, entry, ...rest] = positionals;
  if (command !== "build" || !entry || !values.output || rest.length > 0) throw new Error(USAGE);
  const progress = (text: string) => console.error(`tiny: ${text}`);
  const { output, bytes } = await buildProgram({ entry, output: values.output, onProgress: progress });
  console.log(`${output}: ${bytes} bytes`);
}

main().catch((error: unknown) => {
  console.error(`tiny: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
