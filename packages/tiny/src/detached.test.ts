import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { TestProgram } from "../test/support/test-program.ts";

const program = await TestProgram.build("detached");
after(() => program.remove());

async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "husk-detached-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("a program that goes on alone is nobody's child and has just what it was given", async (t) => {
  assert.deepEqual(await program.report("started", await freshFolder(t)), {
    first: "in y /",
    isNotOurs: true,
    hasOwnSession: true,
    rest: ["0", "1", "2", "3", "in"],
  });
});

test("a program that cannot go on alone says why, and nothing is left of it", async () => {
  const failure = "Error: execve /none: No such file or directory";
  assert.deepEqual(await program.report("notStarted"), [failure, 0, null]);
});

test("a program that does not go on alone ends with who started it", async () => {
  const failure = "Error: execve /none: No such file or directory";
  assert.deepEqual(await program.report("bound"), [true, 137, failure]);
});

test("bytes of a pipe are put where they belong in a file", async (t) => {
  const failure = { message: "splice: Invalid seek", syscall: "splice", errno: 29 };
  const moved = [4, 2, -1];
  assert.deepEqual(await program.report("splice", await freshFolder(t)), [moved, "\0efbcd", failure]);
});

test("a lock is had by one, and shared by who has the same open file", async (t) => {
  const failure = { message: "flock: Bad file descriptor", syscall: "flock", errno: 9 };
  const found = await program.report("locks", await freshFolder(t));
  assert.deepEqual(found, [true, true, false, null, true, failure]);
});

test("a lock can be waited for, within a time", async (t) => {
  assert.deepEqual(await program.report("waits", await freshFolder(t)), [false, true, false, null]);
});

test("bytes are copied from pipe to pipe", async () => {
  const failure = { message: "tee: Invalid argument", syscall: "tee", errno: 22 };
  assert.deepEqual(await program.report("tee"), [-1, 4, "abcdef", "abcd", failure]);
});
