import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, type TestContext, test } from "node:test";
import { encodeProxyFrame, FrameType, ProxyCommand, ProxyStream } from "@husk/wire/cc-proxy";
import { encodeVersion } from "@husk/wire/hyperstart";
import { HuskError } from "../../../errors/index.ts";
import { FakeCcProxy, type FakeProxiedProcess } from "../../../testing/fake-cc-proxy.ts";
import { makeProxyBench, nextProcess, PROXY_LOST } from "../../../testing/open-proxy.ts";
import { GuestProcess } from "../../guest-process.ts";
import type { ContainerStart } from "../../types.ts";

const start: ContainerStart = {
  config: { id: "c", rootFs: "/r", cmd: { args: ["sh"] } },
  storage: { root: { drive: "drive0", fstype: "erofs" }, shared: [], mounts: [], devices: [] },
};
const attach = (terminal = false) => new GuestProcess({ terminal, attached: true });

afterEach(() => {
  delete process.env.HUSK_BOOT_DEADLINE_MS;
});

test("what the agent or the proxy refuses is told in its words, made harmless", async (t) => {
  const { proxy, open } = await makeProxyBench(t);
  const session = await open();
  proxy.overrides.set("newcontainer", (socket) =>
    proxy.refuse(socket, ProxyCommand.HYPER, "no disk\u001b[2J"),
  );
  await assert.rejects(session.startContainer(start, attach(), {}), {
    code: "ERR_AGENT_REFUSED",
    message: /^the agent refused NEWCONTAINER: no disk\P{Cc}*$/u,
  });
  proxy.overrides.set("killcontainer", (socket) =>
    proxy.refuse(socket, ProxyCommand.HYPER, "no such container"),
  );
  assert.equal(await session.isRunning("c", {}), false);
  // The token of the process that was not started is given back.
  assert.ok(proxy.commands.includes("DisconnectShim"));
  proxy.overrides.set("ConnectShim", (socket) =>
    proxy.refuse(socket, ProxyCommand.CONNECT_SHIM, "unknown token"),
  );
  await assert.rejects(session.startContainer(start, attach(), {}), {
    code: "ERR_AGENT_REFUSED",
    message: /refused ConnectShim: unknown token/,
  });
  proxy.overrides.set("AttachVM", (socket) => proxy.refuse(socket, ProxyCommand.ATTACH_VM, ""));
  await assert.rejects(open(), { code: "ERR_AGENT_REFUSED", message: /AttachVM: it gives no reason/ });
  const long = { ...start, config: { ...start.config, cmd: { args: ["x".repeat(5_000_000)] } } };
  proxy.overrides.clear();
  await assert.rejects(session.startContainer(long, attach(), {}), {
    code: "ERR_AGENT_REFUSED",
    message: /at most/,
  });
  assert.equal(session.closed, false);
});

test("a proxy that dies takes along what it carried, and what it had sent is still read", async (t) => {
  const { proxy, open } = await makeProxyBench(t);
  const closed = Promise.withResolvers<void>();
  const session = await open({ events: { onExit: () => {}, onClosed: closed.resolve } });
  const io = attach();
  const running = nextProcess(proxy);
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  (await running).out("last words");
  const [first] = await new Promise<Buffer[]>((resolve) => io.stdout.once("data", (data) => resolve([data])));
  assert.equal(String(first), "last words");
  // One whose reader has stopped ends too.
  const stuck = attach();
  const stuckRunning = nextProcess(proxy);
  await session.startProcess("c", { args: ["yes"] }, stuck, {});
  const yes = await stuckRunning;
  while (yes.out(new Uint8Array(32 * 1024)));
  proxy.overrides.set("killcontainer", () => proxy.close());
  await assert.rejects(session.killContainer("c", 0, {}), PROXY_LOST);
  await assert.rejects(io.wait(), PROXY_LOST);
  await assert.rejects(stuck.wait(), PROXY_LOST);
  assert.equal(session.closed, true);
  await assert.rejects(session.startProcess("c", { args: ["x"] }, attach(), {}), PROXY_LOST);
  await assert.rejects(open(), {
    code: "ERR_AGENT_DISCONNECTED",
    message: /nobody serves .*proxy \(ENOENT|ECONNREFUSED/,
  });
  await closed.promise;
});

test("a connection that carries a process and breaks off loses that process alone", async (t) => {
  const { proxy, open } = await makeProxyBench(t);
  const session = await open();
  const io = attach();
  const running = nextProcess(proxy);
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  (await running).shim.destroy();
  await assert.rejects(io.wait(), PROXY_LOST);
  assert.equal(await session.isRunning("c", {}), true);
});

test("bad frames end the connection that they came on, and what hangs on it", async (t) => {
  const command = (opcode: number) => encodeProxyFrame({ type: FrameType.COMMAND, opcode });
  const bad: [string, Uint8Array][] = [
    ["another version", Buffer.from("000103000000010000000000", "hex")],
    ["a length above all bounds", Buffer.from("0002030000000103ffffffff", "hex")],
    ["a command", command(ProxyCommand.ATTACH_VM)],
    ["an answer to nothing", encodeProxyFrame({ type: FrameType.RESPONSE, opcode: ProxyCommand.HYPER })],
    ["a stream of the shim's", encodeProxyFrame({ type: FrameType.STREAM, opcode: ProxyStream.STDIN }, "x")],
    ["an exit without a code", encodeProxyFrame({ type: FrameType.NOTIFICATION, opcode: 0 })],
  ];
  for (const [name, bytes] of bad) {
    const { proxy, open } = await makeProxyBench(t);
    const session = await open();
    const io = attach();
    const running = nextProcess(proxy);
    await session.startProcess("c", { args: ["sleep"] }, io, {});
    (await running).shim.write(bytes);
    await assert.rejects(io.wait(), { code: "ERR_AGENT_PROTOCOL" }, name);
    assert.equal(session.closed, false, name);
  }
  const { proxy, open } = await makeProxyBench(t);
  const session = await open();
  const io = attach();
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  proxy.overrides.set("killcontainer", (socket: Socket) => socket.write(Buffer.alloc(12, 0xff)));
  await assert.rejects(session.killContainer("c", 0, {}), { code: "ERR_AGENT_PROTOCOL" });
  await assert.rejects(io.wait(), { code: "ERR_AGENT_PROTOCOL" });
  proxy.overrides.set("AttachVM", (socket) => proxy.respond(socket, ProxyCommand.ATTACH_VM, "{}"));
  await assert.rejects(open(), { code: "ERR_AGENT_PROTOCOL", message: /AttachVM wrongly/ });
});

test("a proxy or an agent that is silent is not waited for longer than is allowed", async (t) => {
  process.env.HUSK_BOOT_DEADLINE_MS = "20";
  const { proxy, open } = await makeProxyBench(t);
  proxy.overrides.set("RegisterVM", () => {});
  await assert.rejects(open({ fresh: true }), { code: "ERR_BOOT_TIMEOUT", message: /console/ });
  const session = await open();
  proxy.overrides.set("newcontainer", () => {});
  const signal = AbortSignal.timeout(50);
  const io = attach();
  await assert.rejects(session.startContainer(start, io, { signal }), { code: "ERR_ABORTED" });
  proxy.overrides.set("ping", () => {});
  proxy.overrides.set("getversion", (socket) =>
    proxy.respond(socket, ProxyCommand.HYPER, encodeVersion(4242)),
  );
  await assert.rejects(open(), { code: "ERR_AGENT_VERSION", message: /4242/ });
});

test("a VM that the proxy has already, or that has ended, is told from what it refuses", async (t) => {
  const { proxy, open } = await makeProxyBench(t);
  proxy.overrides.set("RegisterVM", (socket) => proxy.refuse(socket, ProxyCommand.REGISTER_VM, "registered"));
  const session = await open({ fresh: true });
  assert.equal(session.closed, false);
  proxy.overrides.set("AttachVM", (socket) => proxy.refuse(socket, ProxyCommand.ATTACH_VM, "unknown"));
  await assert.rejects(open({ fresh: true }), { code: "ERR_AGENT_REFUSED", message: /registered/ });
  const gone = new HuskError("ERR_VM_LOST", "gone");
  await assert.rejects(open({ fresh: true, describeLoss: async () => gone }), gone);
});

/** A proxy that replaces one that has died, when it is asked for. */
function makeRevival(t: TestContext, socket: string) {
  const revived: FakeCcProxy[] = [];
  const returned: FakeProxiedProcess[] = [];
  let current: FakeCcProxy | undefined;
  const begun = Promise.withResolvers<void>();
  const allowed = Promise.withResolvers<void>();
  const reviveProxy = async () => {
    begun.resolve();
    await allowed.promise;
    if (current?.closed === false) return;
    const proxy = new FakeCcProxy();
    current = proxy;
    await proxy.listen(socket);
    t.after(() => proxy.close());
    proxy.onReturn = (process) => {
      returned.push(process);
      process.out("after");
      process.onStdin = (data) => process.exit(data.length);
    };
    revived.push(proxy);
  };
  return { revived, returned, reviveProxy, begun: begun.promise, allow: allowed.resolve };
}

test("processes go on with a proxy that is brought back once for all, and so do commands", async (t) => {
  const { proxy, directory, socket, open, exits } = await makeProxyBench(t);
  writeFileSync(directory.file("proxyState"), "");
  const revival = makeRevival(t, socket);
  const { revived, returned, reviveProxy } = revival;
  const session = await open({ reviveProxy });
  const ios = Array.from({ length: 20 }, () => attach());
  const tokens: string[] = [];
  for (const io of ios) {
    const running = nextProcess(proxy);
    await session.startProcess("c", { args: ["sleep"] }, io, {});
    const process = await running;
    process.out("before,");
    tokens.push(process.token);
    await new Promise((resolve) => io.stdout.once("readable", resolve));
  }
  const death = revival.begun;
  proxy.close();
  await death;
  // All connections have ended at once, and are heard of in one turn.
  await new Promise(setImmediate);
  // What is written meanwhile waits for the new one.
  for (const io of ios) io.stdin.write("12345");
  revival.allow();
  for (const io of ios) {
    assert.equal(await text(io.stdout), "before,after");
    assert.deepEqual(await io.wait(), { exitCode: 5 });
  }
  assert.equal(await session.isRunning("c", {}), true);
  assert.equal(revived.length, 1);
  assert.deepEqual(returned.map(({ token }) => token).sort(), tokens.sort());
  assert.equal(exits.length, ios.length);
  assert.equal(session.closed, false);
  // A new process finds the new proxy as well.
  revived[0]?.close();
  await session.startProcess("c", { args: ["x"] }, attach(), {});
  assert.equal(revived.length, 2);
});

test("a proxy that cannot be brought back, or dies at once each time, is given up", async (t) => {
  const { proxy, directory, open, socket } = await makeProxyBench(t);
  writeFileSync(directory.file("proxyState"), "");
  const gone = new HuskError("ERR_VM_LOST", "the VM has ended");
  const session = await open({ reviveProxy: async () => Promise.reject(gone) });
  const io = attach();
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  let revivals = 0;
  const reviveProxy = async () => {
    revivals += 1;
    const next = await FakeCcProxy.listen(socket);
    t.after(() => next.close());
    for (const name of ["AttachVM", "ConnectShim"]) next.overrides.set(name, () => next.close());
  };
  const other = await open({ reviveProxy });
  const otherIo = attach();
  await other.startProcess("c", { args: ["sleep"] }, otherIo, {});
  proxy.close();
  await assert.rejects(io.wait(), PROXY_LOST);
  await assert.rejects(otherIo.wait(), PROXY_LOST);
  await assert.rejects(session.isRunning("c", {}), { code: /ERR_VM_LOST|ERR_AGENT_DISCONNECTED/ });
  await assert.rejects(other.isRunning("c", {}), PROXY_LOST);
  assert.ok(revivals > 0 && revivals < 10, String(revivals));
  assert.deepEqual([session.closed, other.closed], [true, true]);
});

test("a proxy that has ended in order is not brought back", async (t) => {
  const { proxy, open } = await makeProxyBench(t);
  let revivals = 0;
  const session = await open({
    reviveProxy: async () => {
      revivals += 1;
    },
  });
  const io = attach();
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  proxy.close();
  await assert.rejects(io.wait(), PROXY_LOST);
  assert.equal(revivals, 0);
});
