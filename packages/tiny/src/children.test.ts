import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { needsRoot } from "../test/support/needs-root.ts";
import { TestProgram } from "../test/support/test-program.ts";

const program = await TestProgram.build("children");
after(() => program.remove());

const noProcess = (syscall: string) => ({ message: `${syscall}: No such process`, syscall, errno: 3 });

test("a child's end is its exit code, or 128 + its signal; one that comes back ends with 70", async () => {
  assert.deepEqual(await program.report("exitCodes"), [0, 7, 255, 137, 143, 70, 70]);
});

test("a child that ended before anyone listened is heard of", async () => {
  assert.equal(await program.report("endedBefore"), 5);
});

test("200 children at once are all reaped, each with its own code", async () => {
  assert.deepEqual(await program.report("many", "200"), [true, null]);
});

test("orphans that come to a subreaper are reaped", async () => {
  assert.deepEqual(await program.report("orphans"), [3, true, null, noProcess("kill")]);
});

test("a program is executed with its arguments and environment", async () => {
  const path = "/none";
  const failure = { message: `execve ${path}: No such file or directory`, syscall: "execve", errno: 2, path };
  assert.deepEqual(await program.report("execute"), ["äb 0\n", 3, failure]);
});

test("an executed program has no descriptors of the one before it", async () => {
  // What this process itself was given by its parent goes through to both.
  const { stdout } = await promisify(execFile)("/bin/sh", ["-c", "exec ls /proc/self/fd"]);
  assert.deepEqual(await program.report("descriptors"), stdout.trim().split("\n"));
});

test("a range of descriptors is closed", async () => {
  const failure = { message: "close_range: Invalid argument", syscall: "close_range", errno: 22 };
  assert.deepEqual(await program.report("closedRange"), [0, failure]);
});

test("signals are heard of in the loop, equal ones once", async () => {
  assert.deepEqual(await program.report("signals"), [1, 10]);
});

test("an executed program finds its signals untouched", async () => {
  assert.deepEqual(await program.report("freshSignals"), [138, 143]);
});

test("a child can be waited for, and signals too", async () => {
  assert.deepEqual(await program.report("wait"), [true, 15, null]);
});

test("writing to nobody is an error, not a death", async () => {
  assert.deepEqual(await program.report("brokenPipe"), {
    message: "write: Broken pipe",
    syscall: "write",
    errno: 32,
  });
});

test("a process that is gone is an error", async () => {
  assert.deepEqual(await program.report("gone"), [noProcess("kill"), noProcess("pidfd_open")]);
});

test("limits are set, soft and hard", async () => {
  assert.deepEqual(await program.report("limits"), [64, 128]);
});

test("a child can lead a session and give up privileges", async () => {
  assert.equal(await program.report("session"), "NoNewPrivs:\t1");
});

test("a child can become another user", needsRoot, async () => {
  assert.deepEqual(await program.report("credentials"), [
    [
      ["Uid:", "34", "34", "34", "34"],
      ["Gid:", "12", "12", "12", "12"],
      ["Groups:", "5", "7"],
    ],
    "RangeError: more than 256 groups",
  ]);
});
