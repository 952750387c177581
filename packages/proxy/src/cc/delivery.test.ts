import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type TestContext, test } from "node:test";
import { Command, encodeStream } from "@husk/wire/hyperstart";
import { ProxyBench } from "../../test/support/proxy-bench.ts";
import type { ProxyClient } from "../../test/support/proxy-client.ts";

const ZERO = { stdout: 0, stderr: 0 };
/** What the proxy keeps of an output, as its window has it. */
const WINDOW_BYTES = 256 * 1024;
const PIECE = Buffer.alloc(32_000, "0123456789abcdef");

/** A process that runs, and its shim. */
async function startProcess(bench: ProxyBench, caller: ProxyClient, received?: typeof ZERO) {
  const [token = ""] = await caller.attach(1);
  const shim = await bench.client();
  await shim.connectShim(token, received);
  await caller.hyper("execcmd", { container: "web", process: { id: token, args: ["x"] } }, [token]);
  const [last] = bench.agent.requests(Command.EXECCMD).slice(-1) as [{ process: { stdio: number } }];
  return { token, shim, seq: last.process.stdio };
}

async function begin(test: TestContext, options: { keepsState?: boolean } = {}) {
  const bench = await ProxyBench.start(test, options);
  const { caller } = await bench.register();
  return { bench, caller };
}

test("a shim that comes after another gets what that had not acknowledged, and the end, also twice", async (t) => {
  const { bench, caller } = await begin(t);
  const { token, shim, seq } = await startProcess(bench, caller, ZERO);
  shim.acknowledges = undefined;
  await bench.agent.output(seq, "one two ");
  await bench.agent.output(seq + 1, "error");
  await shim.until(() => shim.bytes.stdout === 8 && shim.bytes.stderr === 5);
  shim.drop();
  await bench.agent.output(seq, "three");
  const second = await bench.client();
  assert.deepEqual(await second.connectShim(token, { stdout: 4, stderr: 5 }), { stdout: 4, stderr: 5 });
  await second.until(() => second.bytes.stdout === 9);
  assert.deepEqual([second.text("stdout"), second.text("stderr")], ["two three", ""]);
  bench.agent.exit("web", token, 4);
  await bench.agent.output(seq);
  await second.until(() => second.exitCode === 4);
  second.drop();
  const third = await bench.client();
  await third.connectShim(token, { stdout: 13, stderr: 5 });
  await third.until(() => third.exitCode === 4);
  assert.equal(third.text("stdout"), "");
});

test("a shim that is gone while its input waits makes room for the next", async (t) => {
  const { bench, caller } = await begin(t);
  const { token, shim, seq } = await startProcess(bench, caller, ZERO);
  bench.agent.stream?.pause();
  bench.agent.input.set(seq, "");
  for (let i = 0; i < 100; i++) shim.stdin("x".repeat(60_000));
  assert.equal(await caller.hyper("ping"), "");
  shim.drop();
  const second = await bench.client();
  assert.deepEqual(await second.connectShim(token, ZERO), ZERO);
  bench.agent.stream?.resume();
  await bench.agent.output(seq, "hello");
  await second.until(() => second.text("stdout") === "hello");
});

test("a process that ended before its shim came is still told to it", async (t) => {
  const { bench, caller } = await begin(t);
  const { token, shim, seq } = await startProcess(bench, caller);
  shim.drop();
  await bench.agent.output(seq, "all of it");
  bench.agent.exit("web", token, 9);
  await bench.agent.output(seq);
  const late = await bench.client();
  assert.equal(await late.connectShim(token), undefined);
  await late.until(() => late.exitCode === 9);
  assert.equal(late.text("stdout"), "all of it");
});

test("a shim that does not acknowledge, or is gone but to come back, stops the guest's output by a bounded window", async (t) => {
  const { bench, caller } = await begin(t);
  const { token, shim, seq } = await startProcess(bench, caller, ZERO);
  shim.acknowledges = undefined;
  const other = await startProcess(bench, caller, ZERO);
  const pieces = 400;
  const hash = createHash("sha256");
  for (let i = 0; i < pieces; i++) {
    hash.update(PIECE);
    void bench.agent.output(seq, PIECE);
  }
  await shim.until(() => shim.bytes.stdout >= WINDOW_BYTES);
  void bench.agent.output(other.seq, "behind it");
  const { rssKib } = bench.usage();
  assert.ok(rssKib < 4096, `${rssKib} KiB`);
  assert.ok(shim.bytes.stdout < 2 * WINDOW_BYTES, `${shim.bytes.stdout}`);
  shim.drop();
  assert.equal(other.shim.bytes.stdout, 0);
  const second = await bench.client();
  await second.connectShim(token, ZERO);
  await second.until(() => second.bytes.stdout === pieces * PIECE.length);
  assert.equal(
    createHash("sha256").update(Buffer.concat(second.output.stdout)).digest("hex"),
    hash.digest("hex"),
  );
  await other.shim.until(() => other.shim.bytes.stdout === 9);
});

test("a shim whose reader is stuck stops the guest, and one that is gone for good does not", async (t) => {
  const { bench, caller } = await begin(t);
  const { shim, seq } = await startProcess(bench, caller);
  const other = await startProcess(bench, caller);
  shim.socket.pause();
  let written = 0;
  for (let i = 0; i < 200; i++) void bench.agent.output(seq, PIECE).then(() => written++);
  void bench.agent.output(other.seq, "behind it");
  assert.equal(await caller.hyper("ping"), "");
  assert.ok(bench.usage().rssKib < 4096);
  assert.ok(written < 100, `${written}`);
  shim.drop();
  await other.shim.until(() => other.shim.text("stdout") === "behind it");
});

test("a proxy that comes in a dead one's place goes on with its processes", async (t) => {
  const { bench, caller } = await begin(t, { keepsState: true });
  bench.agent.saysReady = false;
  const running = await startProcess(bench, caller, ZERO);
  const ended = await startProcess(bench, caller, ZERO);
  const unheard = await startProcess(bench, caller, ZERO);
  bench.agent.input.set(running.seq, "");
  await bench.agent.output(running.seq, "before ");
  await running.shim.until(() => running.shim.bytes.stdout === 7);
  bench.agent.exit("web", ended.token, 5);
  await bench.agent.until(() => true);
  await caller.hyper("ping");
  await bench.kill();
  bench.agent.answers.set(Command.SIGNALPROCESS, (payload) =>
    payload.includes(unheard.token) ? new Error("no such process") : undefined,
  );
  await bench.startProxy({ keepsState: true });
  const [first, second, third] = [await bench.client(), await bench.client(), await bench.client()];
  assert.deepEqual(await first.connectShim(running.token, { stdout: 7, stderr: 0 }), {
    stdout: 7,
    stderr: 0,
  });
  await bench.agent.output(running.seq, "after");
  await first.until(() => first.text("stdout") === "after");
  first.stdin("input");
  await bench.agent.until(() => bench.agent.input.get(running.seq) === "input");
  await second.connectShim(ended.token, ZERO);
  await second.until(() => second.exitCode === 5);
  await third.connectShim(unheard.token, ZERO);
  await third.until(() => third.exitCode === 255);
  await bench.says(/exit code is lost/);
  const newcomer = await startProcess(bench, await bench.client(), ZERO);
  assert.ok(newcomer.seq > unheard.seq);
  bench.agent.exit("web", running.token, 0);
  await bench.agent.output(running.seq);
  await first.until(() => first.exitCode === 0);
});

test("a shim that goes while its proxy takes over leaves its process to another", async (t) => {
  const { bench, caller } = await begin(t, { keepsState: true });
  bench.agent.saysReady = false;
  const { token } = await startProcess(bench, caller, ZERO);
  await bench.kill();
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<undefined>();
  bench.agent.answers.set(Command.SIGNALPROCESS, () => mayAnswer);
  await bench.startProxy({ keepsState: true });
  const first = await bench.client();
  const refusal = assert.rejects(first.connectShim(token, ZERO), /closed the connection/);
  await bench.agent.until(() => bench.agent.requests(Command.SIGNALPROCESS).length > 0);
  first.drop();
  await refusal;
  // Who comes behind it is served behind it.
  const second = (await bench.client()).connectShim(token, ZERO);
  answer(undefined);
  assert.deepEqual(await second, ZERO);
});

test("what the guest sent between two proxies is delivered from the first whole frame on", async (t) => {
  const { bench, caller } = await begin(t, { keepsState: true });
  bench.agent.saysReady = false;
  const { shim, token, seq } = await startProcess(bench, caller, ZERO);
  await bench.agent.output(seq, "before ");
  await shim.until(() => shim.bytes.stdout === 7);
  await bench.kill();
  const frames = ["cut in two ", "one ", "two ", "three "].map((text) =>
    encodeStream(seq, Buffer.from(text)),
  );
  bench.agent.pendingOutput = Buffer.concat(frames).subarray(15);
  await bench.startProxy({ keepsState: true });
  const second = await bench.client();
  await second.connectShim(token, { stdout: 7, stderr: 0 });
  await bench.agent.output(seq, "four");
  await second.until(() => second.text("stdout") === "one two three four");
});

test("a proxy whose VM is gone tells the shims so, and ends", async (t) => {
  const { bench, caller } = await begin(t, { keepsState: true });
  const { token, shim } = await startProcess(bench, caller, ZERO);
  await bench.kill();
  bench.agent.close();
  await bench.startProxy({ keepsState: true });
  await assert.rejects(
    (await bench.client()).connectShim(token, ZERO),
    /cannot be taken over|ECONNREFUSED|refused|No such/,
  );
  assert.equal(await bench.ended(), 1);
  assert.equal(shim.closed, true);
});

test("the last output of a VM that ends is delivered, with the exit codes that are known", async (t) => {
  const { bench, caller } = await begin(t);
  const known = await startProcess(bench, caller, ZERO);
  const lost = await startProcess(bench, caller, ZERO);
  const foreign = await startProcess(bench, caller);
  bench.agent.exit("web", known.token, 3);
  for (let i = 0; i < 20; i++) void bench.agent.output(known.seq, PIECE);
  await bench.agent.output(lost.seq, "last words");
  bench.agent.control?.end();
  bench.agent.stream?.end();
  await known.shim.until(() => known.shim.exitCode === 3);
  assert.equal(known.shim.bytes.stdout, 20 * PIECE.length);
  await lost.shim.until(() => lost.shim.loss !== undefined);
  assert.equal(lost.shim.text("stdout"), "last words");
  assert.equal(lost.shim.loss, "the VM has ended");
  await foreign.shim.until(() => foreign.shim.closed);
  assert.equal(foreign.shim.loss, undefined);
  assert.equal(await bench.ended(), 0);
});

test("a hundred shims get their own output each, and while nothing happens nothing is done", async (t) => {
  const { bench, caller } = await begin(t);
  const processes = [];
  for (let i = 0; i < 100; i++) processes.push(await startProcess(bench, caller, ZERO));
  for (const { seq } of processes) void bench.agent.output(seq, `output of ${seq}`);
  for (const { shim, seq } of processes) await shim.until(() => shim.text("stdout") === `output of ${seq}`);
  const before = bench.usage();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const after = bench.usage();
  // Of 200 ticks a few may fall into the little that is done when the output has ceased to flow.
  assert.ok(after.ticks - before.ticks <= 3, `${after.ticks - before.ticks} ticks`);
  assert.ok(after.rssKib < 4096, `${after.rssKib} KiB`);
});
