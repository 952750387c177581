// Runs the end-to-end tests, `node scripts/test/end-to-end.ts [file…]`: as many files at once as there are processors, each in a
// network of its own. A VM keeps one processor busy for half of the time; the rest is waiting.
import { globSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { canSeparateLanes, runFile } from "./lane.ts";

const root = join(import.meta.dirname, "../..");

/** Files with nothing in them but the name of a suite, which takes long. */
const SUITES = /\/module-(vm|runc|crun)\.test\.ts$/;

/** Long files first, so that none of them is left alone at the end. */
function findFiles(): string[] {
  const sizes = new Map(
    globSync("e2e/src/**/*.test.ts", { cwd: root }).map((file) => [
      file,
      SUITES.test(file) ? Number.POSITIVE_INFINITY : statSync(join(root, file)).size,
    ]),
  );
  return [...sizes].sort(([, one], [, other]) => (one === other ? 0 : other - one)).map(([file]) => file);
}

async function runAll(files: string[]): Promise<boolean> {
  const isApart = canSeparateLanes();
  const lanes = isApart ? availableParallelism() : 1;
  if (!isApart) console.log("husk: one file at a time: only root can give each a network of its own");
  const total = { passed: 0, failed: 0, skipped: 0 };
  const bad = new Map<string, string>();
  const runLane = async () => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      const started = performance.now();
      const result = await runFile(file, isApart, root);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(
        `${result.output}\nhusk: ${file}: ${result.isGood ? "passed" : "failed"} in ${seconds} s\n`,
      );
      total.passed += result.passed;
      total.failed += result.failed;
      total.skipped += result.skipped;
      if (!result.isGood) bad.set(file, result.failures);
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  console.log(`husk: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  // Once more, as the end is what one looks at first.
  for (const [file, failures] of bad) console.error(`husk: failed: ${file}\n${failures}\n`);
  return bad.size === 0;
}

const chosen = process.argv.slice(2);
process.exitCode = (await runAll(chosen.length > 0 ? chosen : findFiles())) ? 0 : 1;
