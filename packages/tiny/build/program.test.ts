import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { buildProgram } from "./index.ts";

const root = await mkdtemp(join(tmpdir(), "husk-build-"));
after(() => rm(root, { recursive: true, force: true }));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(root, "test-"));
});

const bin = join(import.meta.dirname, "tiny.mjs");
const nodeFolder = dirname(process.execPath);

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

function run(
  command: string,
  args: string[],
  path = `${nodeFolder}${delimiter}${process.env.PATH}`,
): Promise<Result> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { env: { ...process.env, PATH: path }, timeout: 60_000 },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

async function entry(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const HELLO = `import * as sys from "tiny:sys";
const line: Uint8Array = sys.encodeUtf8("hello " + sys.argv.slice(1).join());
sys.write(1, line, 0, line.length);
`;

test("the same sources give the same bytes, also when built at once", async () => {
  const source = await entry("hello.ts", HELLO);
  const outputs = ["one", "two", "three/deep"].map((place) => join(folder, place, "hello"));
  const built = await Promise.all(outputs.map((output) => buildProgram({ entry: source, output })));
  const [first, ...others] = await Promise.all(outputs.map((output) => readFile(output)));
  assert.ok(first);
  for (const other of others) assert.ok(first.equals(other));
  assert.deepEqual(
    built.map(({ bytes }) => bytes),
    outputs.map(() => first.length),
  );
  assert.deepEqual(await readdir(join(folder, "one")), ["hello"], "nothing else is left beside the program");
});

test("a program is static, and runs with nothing around it", async () => {
  const output = join(folder, "hello");
  await buildProgram({ entry: await entry("hello.ts", HELLO), output });
  assert.deepEqual(await run(output, ["a", "b"]), { code: 0, stdout: "hello a,b", stderr: "" });
  assert.ok(!(await readFile(output)).includes("ld-musl"), "it names no dynamic loader");
});

test("what is imported by import() runs when it is asked for, and shares what the others have", async () => {
  await entry("shared.ts", "export const words: string[] = [];\n");
  await entry("later.ts", 'import { words } from "./shared.ts";\nwords.push("later");\n');
  const source = await entry(
    "first.ts",
    `import * as sys from "tiny:sys";
import { words } from "./shared.ts";
words.push("first");
const later = () => import("./later.ts");
if (sys.argv.length > 1) await Promise.all([later(), later()]);
const line = sys.encodeUtf8(words.join());
sys.write(1, line, 0, line.length);
`,
  );
  const output = join(folder, "first");
  await buildProgram({ entry: source, output });
  assert.deepEqual(await run(output, []), { code: 0, stdout: "first", stderr: "" });
  assert.deepEqual(await run(output, ["go on"]), { code: 0, stdout: "first,later", stderr: "" });
});

test("a syntax error names the file and the line, and leaves nothing behind", async () => {
  const source = await entry("broken.ts", "const one = 1;\nconst two = = 2;\n");
  const output = join(folder, "out", "broken");
  await assert.rejects(buildProgram({ entry: source, output }), /broken\.ts:2:12: ERROR: Unexpected "="/);
  assert.deepEqual(await readdir(folder), ["broken.ts"]);
});

test("an import that is not there is named", async () => {
  const source = await entry("lost.ts", 'import "./nowhere.ts";\n');
  await assert.rejects(
    buildProgram({ entry: source, output: join(folder, "lost") }),
    /Could not resolve "\.\/nowhere\.ts"/,
  );
});

test("what the engine cannot run is told by the name of the call", async () => {
  const source = await entry("absent.ts", 'import * as sys from "tiny:sys";\n(sys as any).noSuchCall();\n');
  const output = join(folder, "absent");
  await buildProgram({ entry: source, output });
  const { code, stderr } = await run(output, []);
  assert.equal(code, 70);
  assert.match(stderr, /^TypeError: not a function\n +at /);
});

test("the command builds, by the link that npm makes", async () => {
  const source = await entry("hello.ts", HELLO);
  await mkdir(join(folder, ".bin"));
  const link = join(folder, ".bin", "tiny");
  await symlink(bin, link);
  const output = join(folder, "hello");
  const { code, stdout, stderr } = await run(link, ["build", source, "-o", output]);
  assert.deepEqual([code, stdout], [0, `${output}: ${(await readFile(output)).length} bytes\n`]);
  assert.match(stderr, /^tiny: bundling hello\ntiny: compiling hello\n$/m);
});

test("the command explains itself, and refuses what it does not know", async () => {
  const usage = "usage: tiny build ENTRY.ts -o PROGRAM";
  const help = await run(bin, ["--help"]);
  assert.deepEqual([help.code, help.stdout.split("\n")[0], help.stderr], [0, usage, ""]);
  const wrong = [[], ["build", "a.ts"], ["make", "a.ts", "-o", "a"]];
  const results = await Promise.all(wrong.map((args) => run(bin, args)));
  for (const result of results) assert.deepEqual(result, { code: 1, stdout: "", stderr: `tiny: ${usage}\n` });
  const unknown = await run(bin, ["build", "--outptu", "x"]);
  assert.deepEqual([unknown.code, unknown.stderr.includes("'--outptu'")], [1, true]);
});

test("a compiler that is missing is named", async () => {
  const source = await entry("hello.ts", HELLO);
  // Only Node is on the PATH.
  await mkdir(join(folder, "path"));
  await symlink(process.execPath, join(folder, "path", "node"));
  const result = await run(bin, ["build", source, "-o", join(folder, "hello")], join(folder, "path"));
  assert.equal(result.code, 1);
  assert.match(result.stderr, /tiny: musl-gcc could not be run \(spawn musl-gcc ENOENT\)/);
  assert.deepEqual((await readdir(folder)).sort(), ["hello.ts", "path"]);
});

test("a compiler's own words are passed on", async () => {
  const source = await entry("hello.ts", HELLO);
  const tools = join(folder, "path");
  await mkdir(tools);
  await symlink(process.execPath, join(tools, "node"));
  await writeFile(join(tools, "musl-gcc"), "#!/bin/sh\necho 'no room on the disk' >&2\nexit 4\n");
  await chmod(join(tools, "musl-gcc"), 0o755);
  const path = [tools, process.env.PATH].join(delimiter);
  const result = await run(bin, ["build", source, "-o", join(folder, "hello")], path);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /tiny: musl-gcc ended with 4:\nno room on the disk\n$/);
});
