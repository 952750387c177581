import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { encodeResize, encodeSignal, encodeStdin, encodeSubscribe } from "@husk/wire/attach";
import { Attached } from "../../test/support/attached.ts";
import { FakeShim, TestPrograms } from "../../test/support/fake-shim.ts";
import { joinStream, readEntries } from "../../test/support/log-entries.ts";

const programs = await TestPrograms.build("fake-shim");
after(() => programs.remove());

let shims = 0;
/** A detached shim that can be attached to. */
async function startDetached(...flags: string[]): Promise<{ shim: FakeShim; log: string; path: string }> {
  const name = join(programs.folder, String(++shims));
  const [log, path] = [`${name}.log`, `${name}.sock`];
  const shim = new FakeShim(programs, { attachPath: path, flags: ["-log-file", log, ...flags] });
  await shim.next("start");
  return { shim, log, path };
}

test("who attaches is greeted, has output from then on, and is told the end", async () => {
  const { shim, path, log } = await startDetached("-terminal");
  using _ = shim;
  shim.order({ output: "stdout", text: "before\n" });
  await shim.next("written");
  using client = await Attached.to(path);
  const hello = {
    containerId: "web",
    terminal: true,
    interactive: false,
    positions: { stdout: 7, stderr: 0 },
  };
  assert.deepEqual(await client.next(), { kind: "hello", hello });
  shim.order({ output: "stdout", text: "not yet\n" });
  await shim.next("written");
  client.send(encodeSubscribe(true));
  client.send(encodeSignal(12));
  await shim.next("signal");
  shim.order({ output: "stdout", text: "now\n" }, { output: "stderr", text: "oh\n" });
  const data = (text: string) => new Uint8Array(Buffer.from(text));
  assert.deepEqual(await client.next(), { kind: "output", name: "stdout", offset: 15, data: data("now\n") });
  assert.equal(joinStream(await readEntries(log), "stdout").toString(), "before\nnot yet\nnow\n");
  assert.deepEqual(await client.next(), { kind: "output", name: "stderr", offset: 0, data: data("oh\n") });
  shim.order({ exit: 3 });
  const exit = await client.next();
  assert.ok(exit?.kind === "exit" && "exitCode" in exit.exit);
  assert.equal(exit.exit.exitCode, 3);
  assert.equal(await client.next(), undefined);
  assert.equal(await shim.ended, 3);
});

test("input of all who attach goes to the process, piece by piece, until one ends it", async () => {
  const { shim, path } = await startDetached("-interactive");
  using _ = shim;
  using one = await Attached.to(path);
  using two = await Attached.to(path);
  one.send(encodeStdin(Buffer.from("from one")));
  assert.deepEqual(await shim.next("stdin"), { stdin: Buffer.from("from one").toString("hex") });
  two.send(encodeStdin(Buffer.from("from two")));
  two.send(encodeResize(50, 120));
  two.send(encodeStdin());
  shim.order({ taking: true });
  assert.deepEqual(await shim.next("stdin"), { stdin: Buffer.from("from two").toString("hex") });
  assert.deepEqual(await shim.next("resize"), { resize: [50, 120] });
  await shim.next("closeStdin");
  one.send(encodeStdin(Buffer.from("too late")));
  one.send(encodeSignal(1));
  await shim.next("signal");
  assert.deepEqual(shim.rest, []);
});

test("without -interactive input goes nowhere", async () => {
  const { shim, path } = await startDetached();
  using _ = shim;
  await shim.next("closeStdin");
  using client = await Attached.to(path);
  client.send(encodeStdin(Buffer.from("x")));
  client.send(encodeStdin());
  client.send(encodeSignal(1));
  await shim.next("signal");
  assert.deepEqual(shim.rest, []);
});

test("much input comes through whole while the process takes it slowly", async () => {
  const { shim, path } = await startDetached("-interactive");
  using _ = shim;
  using client = await Attached.to(path);
  const pieces = Array.from({ length: 40 }, (__, at) => Buffer.alloc(65_536, at));
  for (const piece of pieces) client.send(encodeStdin(piece));
  client.send(encodeStdin());
  await shim.next("stdin");
  shim.order({ taking: true });
  await shim.next("closeStdin");
  const got = Buffer.concat(
    shim.rest.flatMap((report) => ("stdin" in report ? [Buffer.from(String(report.stdin), "hex")] : [])),
  );
  assert.deepEqual(got, Buffer.concat(pieces).subarray(65_536));
});

test("who asks and hangs up at once has been heard", async () => {
  const { shim, path } = await startDetached("-interactive");
  using _ = shim;
  process.kill(shim.process.pid ?? 0, "SIGSTOP");
  const client = connect(path);
  client.end(encodeSignal(10));
  await once(client, "finish");
  client.destroy();
  process.kill(shim.process.pid ?? 0, "SIGCONT");
  assert.deepEqual(await shim.next("signal"), { signal: 18 });
  assert.deepEqual(await shim.next("signal"), { signal: 10 });
});

test("who does not read is sent away, and nobody waits for him", async () => {
  const { shim, path } = await startDetached();
  using _ = shim;
  using slow = await Attached.to(path);
  using quick = await Attached.to(path);
  for (const client of [slow, quick]) client.send(encodeSubscribe(true));
  await Promise.all([slow.next(), quick.next()]);
  slow.socket.pause();
  // A signal of each, so that the shim has seen both subscriptions.
  for (const client of [slow, quick]) client.send(encodeSignal(10));
  await shim.next("signal");
  await shim.next("signal");
  const all = quick.readOutput("stdout");
  shim.order({ produce: 5_000_000 });
  await shim.next("produced");
  shim.order({ exit: 0 });
  assert.equal(await shim.ended, 0);
  const { bytes, last } = await all;
  assert.equal(last?.kind === "exit" || bytes.length < 5_000_000, true);
  slow.socket.resume();
  const seen = await slow.readOutput("stdout");
  assert.ok(seen.bytes.length < 5_000_000 && seen.last?.kind !== "exit", `${seen.bytes.length}`);
});

test("one who does not speak the protocol is sent away alone", async () => {
  const { shim, path } = await startDetached();
  using _ = shim;
  using bad = await Attached.to(path);
  using good = await Attached.to(path);
  await bad.next();
  bad.send(Buffer.concat([encodeSignal(5), Buffer.from("GET / HTTP/1.1\r\n\r\n")]));
  assert.deepEqual(await shim.next("signal"), { signal: 5 });
  assert.equal(await bad.next(), undefined);
  good.send(encodeSignal(6));
  assert.deepEqual(await shim.next("signal"), { signal: 6 });
});

test("no more than 64 are let in", async () => {
  const { shim, path } = await startDetached();
  using _ = shim;
  const clients = await Promise.all(Array.from({ length: 64 }, () => Attached.to(path)));
  for (const client of clients) assert.equal((await client.next())?.kind, "hello");
  using late = await Attached.to(path);
  assert.equal(await late.next(), undefined);
  for (const client of clients) client[Symbol.dispose]();
});

test("who is stuck when the process ends does not hold the shim for long", async () => {
  const { shim, path } = await startDetached();
  using _ = shim;
  using stuck = await Attached.to(path);
  await stuck.next();
  stuck.send(encodeSubscribe(true));
  stuck.send(encodeSignal(10));
  await shim.next("signal");
  stuck.socket.pause();
  shim.order({ output: "stdout", text: "x".repeat(900_000) });
  await shim.next("written");
  const began = performance.now();
  shim.order({ exit: 0 });
  assert.equal(await shim.ended, 0);
  assert.ok(performance.now() - began < 30_000);
});

test("with streams of its own a shim has guests, too, who give no input", async () => {
  const path = join(programs.folder, "own.sock");
  using shim = new FakeShim(programs, { attachPath: path, flags: ["-interactive"] });
  await shim.next("start");
  using client = await Attached.to(path);
  const hello = await client.next();
  assert.ok(hello?.kind === "hello" && !hello.hello.interactive);
  client.send(encodeSubscribe(true));
  client.send(encodeStdin(Buffer.from("x")));
  client.send(encodeResize(1, 2));
  assert.deepEqual(await shim.next("resize"), { resize: [1, 2] });
  const stdout = shim.readAll("stdout");
  shim.order({ output: "stdout", text: "both\n" }, { exit: 0 });
  assert.equal(await stdout, "both\n");
  assert.equal((await client.readOutput("stdout")).bytes.toString(), "both\n");
  assert.ok(!shim.rest.some((report) => "stdin" in report));
});
