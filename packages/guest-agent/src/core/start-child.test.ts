import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { buildProgram } from "@husk/tiny/build";

const folder = await mkdtemp(join(tmpdir(), "husk-agent-"));
after(() => rm(folder, { recursive: true, force: true }));
const entry = join(import.meta.dirname, "../../test/programs/start-child.ts");
const { output: program } = await buildProgram({ entry, output: join(folder, "start-child") });

/** What is heard of a child, and its exit code. */
async function start(child: string, deadlineMs = 60_000): Promise<unknown> {
  const { stdout } = await promisify(execFile)(program, [child, `${deadlineMs}`], { timeout: 60_000 });
  return JSON.parse(stdout);
}

test("a child that arrives, or becomes its program, has started", async () => {
  assert.deepEqual(await start("arrives"), ["started", 0]);
  assert.deepEqual(await start("executes"), ["started", 0]);
});

test("a child's complaint is heard", async () => {
  assert.deepEqual(await start("complains"), ["no such luck", 70]);
});

test("a child that hangs before it arrives is told of at the deadline, and killed", async () => {
  assert.deepEqual(await start("hangs", 50), ["the process was not set up in 50 ms", 137]);
});

test("a child waits where it pauses, and is heard from there on", async () => {
  assert.deepEqual(await start("pauses"), ["started", "went on", 9]);
  assert.deepEqual(await start("pauses, and complains"), ["started", "no such luck", 70]);
});

test("a child that pauses keeps only what it is to keep", async () => {
  assert.deepEqual(await start("lets go, and pauses"), ["started", "went on", 6]);
});
