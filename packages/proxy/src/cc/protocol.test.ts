import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { FrameType, ProxyCommand, ProxyStream } from "@husk/wire/cc-proxy";
import { Command } from "@husk/wire/hyperstart";
import { ProxyBench } from "../../test/support/proxy-bench.ts";
import { Refused } from "../../test/support/proxy-client.ts";

const BASIC = { args: ["sh"], terminal: false, stdio: 0, stderr: 0 };

test("a caller of Clear Containers starts a container with a shim, and sees how it ends", async (t) => {
  const bench = await ProxyBench.start(t);
  const { caller, tokens } = await bench.register(1);
  const [token = ""] = tokens;
  assert.match(token, /^[A-Za-z0-9_-]{43}=$/);
  const shim = await bench.client();
  assert.equal(await shim.connectShim(token), undefined);
  bench.agent.input.set(3, "");
  await caller.hyper("newcontainer", { id: "web", process: BASIC }, [token]);
  assert.deepEqual(bench.agent.requests(Command.NEWCONTAINER), [
    { id: "web", process: { stdio: 3, stderr: 4, args: ["sh"], terminal: false } },
  ]);
  shim.stdin("in");
  await bench.agent.until(() => bench.agent.input.get(3) === "in");
  shim.stdin("");
  await bench.agent.until(() => bench.agent.input.get(3) === "in<end>");
  await bench.agent.output(3, "out");
  await bench.agent.output(4, "err");
  await shim.signal(15);
  assert.deepEqual(bench.agent.requests(Command.KILLCONTAINER), [{ container: "web", signal: 15 }]);
  await shim.signal(28, { columns: 80, rows: 24 });
  assert.deepEqual(bench.agent.requests(Command.WINSIZE), [{ seq: 3, row: 24, column: 80 }]);
  await bench.agent.output(3, "7");
  await bench.agent.output(3);
  await bench.agent.output(3, Uint8Array.of(7));
  await shim.until(() => shim.exitCode !== undefined);
  assert.deepEqual([shim.text("stdout"), shim.text("stderr"), shim.exitCode], ["out7", "err", 7]);
  shim.send(FrameType.COMMAND, ProxyCommand.DISCONNECT_SHIM);
  await shim.until(() => shim.closed);
  await assert.rejects((await bench.client()).connectShim(token), /no process has this token/);
});

test("a process with an id ends when its output and its event have both come, whichever is first", async (t) => {
  const bench = await ProxyBench.start(t);
  const { caller, tokens } = await bench.register(2);
  for (const [i, token] of tokens.entries()) {
    const shim = await bench.client();
    await shim.connectShim(token, { stdout: 0, stderr: 0 });
    const process = { id: `p${i}`, ...BASIC };
    const seq = 3 + 2 * i;
    await caller.hyper("execcmd", { container: "web", process }, [token]);
    await shim.signal(2);
    if (i === 0) bench.agent.exit("web", process.id, 3);
    await bench.agent.output(seq, "last");
    await bench.agent.output(seq);
    await shim.until(() => shim.bytes.stdout === 4);
    if (i === 1) {
      assert.equal(shim.exitCode, undefined);
      bench.agent.exit("web", process.id, 3);
    }
    await shim.until(() => shim.exitCode === 3);
    assert.equal(shim.text("stdout"), "last");
  }
  assert.deepEqual(bench.agent.requests(Command.SIGNALPROCESS), [
    { container: "web", process: "p0", signal: 2 },
    { container: "web", process: "p1", signal: 2 },
  ]);
});

test("who asks for it is told of the end of every process, be it carried or not", async (t) => {
  const bench = await ProxyBench.start(t);
  const { caller } = await bench.register(0);
  const listener = await bench.client();
  await listener.command(ProxyCommand.ATTACH_VM, { containerId: "pod", exits: true });
  bench.agent.exit("web", "init", 3);
  bench.agent.exit("db", "exec-1", 137);
  await listener.until(() => listener.guestExits.length === 2);
  assert.deepEqual(
    listener.guestExits.map(({ container, process, status }) => [container, process, status]),
    [
      ["web", "init", 3],
      ["db", "exec-1", 137],
    ],
  );
  await caller.hyper("ping");
  assert.equal(caller.guestExits.length, 0);
  // One who does not read is sent away in the end; the others go on.
  listener.socket.pause();
  for (let count = 0; count < 8000; count++) bench.agent.exit("web", "init", 3);
  await caller.hyper("ping");
  listener.socket.resume();
  await listener.until(() => listener.closed);
  assert.ok(listener.guestExits.length < 8000);
});

test("without a token a process has the null session, a terminal has one stream", async (t) => {
  const bench = await ProxyBench.start(t);
  const { caller, tokens } = await bench.register(1);
  await caller.hyper("newcontainer", { id: "web", process: BASIC });
  await bench.agent.output(1, "for nobody");
  await (await bench.client()).connectShim(tokens[0] ?? "");
  await caller.hyper("execcmd", { container: "web", process: { ...BASIC, terminal: true } }, tokens);
  assert.deepEqual(bench.agent.requests(Command.NEWCONTAINER), [
    { id: "web", process: { stdio: 1, stderr: 2, args: ["sh"], terminal: false } },
  ]);
  assert.deepEqual(bench.agent.requests(Command.EXECCMD), [
    { container: "web", process: { stdio: 3, args: ["sh"], terminal: true } },
  ]);
});

test("what is wrong is answered with an error that says so", async (t) => {
  const bench = await ProxyBench.start(t);
  const { agent } = bench;
  const early = await bench.client();
  await assert.rejects(early.hyper("ping"), /no VM is registered/);
  await assert.rejects(early.attach(1), /no VM of pod pod/);
  const { caller, tokens } = await bench.register(2);
  const refused: [Promise<unknown>, RegExp][] = [
    [caller.register(agent), /has the VM of pod pod already/],
    [caller.command(ProxyCommand.ATTACH_VM, { containerId: "other" }), /no VM of pod other/],
    [caller.command(ProxyCommand.ATTACH_VM, {}), /containerId: is missing/],
    [caller.hyper("dance"), /"dance" is no command/],
    [caller.hyper("ping", undefined, tokens), /ping makes no process/],
    [caller.hyper("newcontainer", { id: "web", process: BASIC }, tokens), /takes one token/],
    [caller.hyper("newcontainer", { id: "web", process: { ...BASIC, stdio: 5 } }), /stdio: must be 0/],
    [caller.connectShim(`${"A".repeat(43)}=`), /no process has this token/],
    [caller.signal(15), /no shim/],
  ];
  for (const [attempt, told] of refused)
    await assert.rejects(attempt, (error) => error instanceof Refused && told.test(error.message));
  agent.answers.set(Command.STARTPOD, () => new Error("no room"));
  await assert.rejects(caller.hyper("startpod", { hostname: "x" }), /the agent refused STARTPOD: no room/);
  assert.equal(await caller.hyper("ping", {}), "");
  agent.answers.set(Command.PING, () => "pong");
  assert.equal(await caller.hyper("ping"), "pong");
  const [first, second] = [await bench.client(), await bench.client()];
  await first.connectShim(tokens[0] ?? "");
  await assert.rejects(second.connectShim(tokens[0] ?? ""), /another shim has this token/);
  await assert.rejects(first.connectShim(tokens[1] ?? ""), /has a process already/);
  await caller.hyper("execcmd", { container: "web", process: BASIC }, [tokens[0] ?? ""]);
  await assert.rejects(first.signal(15), /not supported/);
  await assert.rejects(
    caller.hyper("execcmd", { container: "web", process: BASIC }, [tokens[0] ?? ""]),
    /already/,
  );
});

test("before the start, input waits, a signal waits, and one that ends the process does so at once", async (t) => {
  const bench = await ProxyBench.start(t);
  const { caller, tokens } = await bench.register(2);
  const [waiting, ended] = [await bench.client(), await bench.client()];
  await waiting.connectShim(tokens[0] ?? "");
  await ended.connectShim(tokens[1] ?? "");
  bench.agent.input.set(3, "");
  waiting.stdin("early");
  const signalled = waiting.signal(1);
  await ended.signal(15);
  await ended.until(() => ended.exitCode === 0);
  await caller.hyper("newcontainer", { id: "web", process: BASIC }, tokens.slice(0, 1));
  await signalled;
  await bench.agent.until(() => bench.agent.input.get(3) === "early");
  assert.deepEqual(bench.agent.requests(Command.KILLCONTAINER), [{ container: "web", signal: 1 }]);
});

test("a container waits for its shim, and the wait ends with its caller", async (t) => {
  const bench = await ProxyBench.start(t);
  const { caller, tokens } = await bench.register(1);
  const impatient = await bench.client();
  const given = impatient.hyper("newcontainer", { id: "web", process: BASIC }, tokens);
  impatient.drop();
  await assert.rejects(given, /closed the connection/);
  const started = caller.hyper("newcontainer", { id: "web", process: BASIC }, tokens);
  await (await bench.client()).connectShim(tokens[0] ?? "");
  await started;
  assert.equal(bench.agent.requests(Command.NEWCONTAINER).length, 1);
});

test("bytes that are no frames close that client alone", async (t) => {
  const bench = await ProxyBench.start(t);
  const { caller } = await bench.register();
  const spoilt: ((client: Awaited<ReturnType<typeof bench.client>>) => void)[] = [
    (client) => void client.socket.write(Buffer.alloc(64, 0xff)),
    (client) => client.send(FrameType.RESPONSE, ProxyCommand.HYPER),
    (client) => client.send(FrameType.STREAM, ProxyStream.STDIN, "no shim"),
    (client) => client.send(FrameType.STREAM, ProxyStream.LOG, "no log"),
  ];
  for (const spoil of spoilt) {
    const client = await bench.client();
    spoil(client);
    await client.until(() => client.closed);
  }
  assert.equal(await caller.hyper("ping"), "");
  const talker = await bench.client();
  talker.send(
    FrameType.STREAM,
    ProxyStream.LOG,
    JSON.stringify({ source: "shim", level: "info", msg: "hello log" }),
  );
  await assert.rejects(talker.hyper("dance"), Refused);
  await bench.says(/"source":"shim","msg":"hello log"/);
});

test("a proxy ends when its VM is unregistered, or is lost, and with an error when the guest breaks the protocol", async (t) => {
  const unregistered = await ProxyBench.start(t, { keepsState: true });
  const { caller } = await unregistered.register(1);
  assert.ok(existsSync(unregistered.stateFile));
  await caller.command(ProxyCommand.UNREGISTER_VM, { containerId: "pod" });
  assert.equal(await unregistered.ended(), 0);
  assert.ok(!existsSync(unregistered.stateFile));

  const lost = await ProxyBench.start(t);
  await lost.register();
  lost.agent.close();
  assert.equal(await lost.ended(), 0);

  for (const spoil of [
    (bench: ProxyBench) => bench.agent.stream?.write(Buffer.alloc(64)),
    (bench: ProxyBench) => bench.agent.control?.write(Buffer.alloc(64)),
    (bench: ProxyBench) => bench.agent.control?.write(Buffer.from("0000000900000008", "hex")),
  ]) {
    const faulty = await ProxyBench.start(t);
    const { caller } = await faulty.register();
    spoil(faulty);
    await caller.until(() => caller.closed);
    assert.equal(await faulty.ended(), 1);
    await faulty.says(/the guest sent a bad/);
  }
});
