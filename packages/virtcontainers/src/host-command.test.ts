import assert from "node:assert/strict";
import { test } from "node:test";
import { captureCommand, runCommand } from "./host-command.ts";

const run = (script: string, limits = {}) => runCommand("sh", ["-c", script], limits);

test("a program that succeeds has nothing to say, one that fails says why", async () => {
  assert.equal(await run("echo warning >&2"), undefined);
  assert.equal(await run("echo no such thing >&2; exit 3"), "no such thing");
  assert.equal(await run("exit 3"), "sh ended with status 3");
  assert.match((await runCommand("/none/such", [], {})) ?? "", /^\/none\/such cannot be run: .*ENOENT/);
});

test("of a program that talks on and on, the last words are kept", async () => {
  const words = await run("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i + 1)); done; exit 1");
  assert.ok(words && words.length <= 4096 && words.endsWith("line 1999"));
});

test("a program is killed when its time is up, or the call is aborted", async () => {
  assert.equal(await run("exec sleep 1000", { timeoutMs: 5 }), "sh did not end within 5 ms");
  const controller = new AbortController();
  const running = run("exec sleep 1000", { signal: controller.signal });
  controller.abort();
  await assert.rejects(running, { code: "ERR_ABORTED" });
  await assert.rejects(run("true", { signal: controller.signal }), { code: "ERR_ABORTED" });
});

test("what a program prints is kept, up to a limit", async () => {
  const outcome = await captureCommand("sh", ["-c", "cat; echo on standard error >&2"], { input: "words" });
  assert.deepEqual({ ...outcome, stdout: outcome.stdout.toString() }, { stdout: "words" });
  const { failure } = await captureCommand("yes", [], { maxOutputBytes: 100_000 });
  assert.equal(failure, "yes printed more than 100000 bytes");
});

test("a program need not read its input", async () => {
  const input = Buffer.alloc(1 << 20);
  assert.equal((await captureCommand("true", [], { input })).failure, undefined);
});
