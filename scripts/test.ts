// `npm test`: every check there is, the quick ones first; stops at the first that fails. With words after
// `--`, only the stages so named.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";

interface Stage {
  /** name to choose it by */
  name: string;
  /** program of the npm packages, or this Node */
  command: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "..");
const bin = (name: string) => join(root, "node_modules/.bin", name);
const UNIT_TESTS = [
  "packages/*/src/**/*.test.ts",
  "packages/*/build/**/*.test.ts",
  "scripts/**/*.test.ts",
  "bench/src/**/*.test.ts",
];
/** Node leaves one processor unused by default. */
const CONCURRENCY = `--test-concurrency=${availableParallelism()}`;
/** Each file of tests is a process, and half of what most of them cost was to compile the same modules again. */
const COMPILED = { NODE_COMPILE_CACHE: join(root, "build/test-compile-cache") };

const STAGES: readonly Stage[] = [
  { name: "format and lint", command: bin("biome"), args: ["check", "."] },
  { name: "types", command: bin("tsc"), args: ["--noEmit"] },
  { name: "layers", command: process.execPath, args: [join(root, "scripts/check-layers.ts")] },
  { name: "api table", command: process.execPath, args: [join(root, "scripts/check-api-table.ts")] },
  { name: "dead code", command: bin("knip"), args: [] },
  {
    name: "unit tests",
    command: process.execPath,
    args: ["--test", CONCURRENCY, ...UNIT_TESTS],
    env: COMPILED,
  },
  { name: "end-to-end tests", command: process.execPath, args: [join(root, "scripts/test/end-to-end.ts")] },
];

async function runStage({ name, command, args, env }: Stage): Promise<number> {
  const started = performance.now();
  console.log(`husk: ${name}`);
  const child = spawn(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (code === 0) console.log(`husk: ${name}: passed in ${seconds} s\n`);
  else console.error(`husk: ${name}: failed after ${seconds} s${signal === null ? "" : ` (${signal})`}`);
  return code ?? 1;
}

async function runStages(chosen: readonly string[]): Promise<number> {
  const unknown = chosen.filter((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    const known = STAGES.map((stage) => `"${stage.name}"`).join(", ");
    console.error(`husk: no such stage: ${unknown.join(", ")}; there are ${known}`);
    return 1;
  }
  for (const stage of STAGES) {
    if (chosen.length > 0 && !chosen.includes(stage.name)) continue;
    const code = await runStage(stage);
    if (code !== 0) return code;
  }
  return 0;
}

process.exitCode = await runStages(process.argv.slice(2));
