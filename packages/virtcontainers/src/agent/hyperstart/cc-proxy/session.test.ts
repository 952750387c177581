import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, type TestContext, test } from "node:test";
import {
  encodeProxyFrame,
  FrameType,
  MAX_STREAM_BYTES,
  ProxyCommand,
  ProxyStream,
  parseHyperRequest,
  parseRegisterVm,
} from "@husk/wire/cc-proxy";
import { encodeVersion } from "@husk/wire/hyperstart";
import { HuskError } from "../../../errors/index.ts";
import { FakeCcProxy, type FakeProxiedProcess } from "../../../testing/fake-cc-proxy.ts";
import { makePodDirectory, openOptions } from "../../../testing/open-agent.ts";
import { GuestProcess } from "../../guest-process.ts";
import type { ContainerStart, OpenOptions } from "../../types.ts";
import { HyperstartAgent } from "../index.ts";
import { unregisterVm } from "./unregister-vm.ts";

const start: ContainerStart = {
  config: { id: "c", rootFs: "/r", cmd: { args: ["sh"] } },
  storage: { root: { drive: "drive0", fstype: "erofs" }, shared: [], mounts: [], devices: [] },
};
const attach = (terminal = false) => new GuestProcess({ terminal, attached: true });
const lost = new HuskError("ERR_AGENT_DISCONNECTED", "the pod's proxy has ended");

afterEach(() => {
  delete process.env.HUSK_BOOT_DEADLINE_MS;
});

async function makeBench(t: TestContext) {
  const directory = makePodDirectory(t);
  const proxySocket = directory.socket("proxy");
  const proxy = await FakeCcProxy.listen(proxySocket);
  t.after(() => proxy.close());
  const exits: string[] = [];
  const open = async (more: Partial<OpenOptions> = {}) => {
    const options = { ...openOptions(directory, exits), proxySocket, describeLoss: async () => lost };
    const session = await new HyperstartAgent().open({ ...options, ...more });
    if (!session) throw new Error("no session");
    t.after(() => session.close());
    return session;
  };
  return { directory, proxySocket, proxy, open, exits };
}

/** A program that tells when it has been started. */
function started(proxy: FakeCcProxy): Promise<FakeProxiedProcess> {
  return new Promise((resolve) => {
    proxy.program = resolve;
  });
}

test("a new VM is registered, its agent asked for its version, and a container carried to its end", async (t) => {
  const { directory, proxy, open, exits } = await makeBench(t);
  const registered: unknown[] = [];
  proxy.overrides.set("RegisterVM", (socket, { payload }) => {
    registered.push(parseRegisterVm(payload));
    proxy.respond(socket, ProxyCommand.REGISTER_VM, '{"io":{"URL":"unix:///p","tokens":[]}}');
  });
  const session = await open({ fresh: true });
  assert.deepEqual(registered, [
    {
      containerId: "pod",
      ctlSerial: directory.socket("control"),
      ioSerial: directory.socket("stream"),
      numIOStreams: 0,
    },
  ]);
  proxy.program = (process) => {
    process.out("out");
    process.err("err");
    process.onStdin = (data) => {
      if (data.length === 0) process.exit(7);
      else process.out(data);
    };
  };
  const io = attach();
  io.stdin.end(" and in");
  await session.startContainer(start, io, {});
  assert.equal(await text(io.stdout), "out and in");
  assert.equal(await text(io.stderr ?? io.stdout), "err");
  assert.deepEqual(await io.wait(), { exitCode: 7 });
  assert.deepEqual(exits, ["c/init/7"]);
  assert.equal(session.isOwner, true);
  const disconnected = new Promise((resolve) => proxy.processes[0]?.shim.once("close", resolve));
  await disconnected;
  assert.deepEqual(proxy.commands, [
    "RegisterVM",
    "getversion",
    "AttachVM",
    "ConnectShim",
    "newcontainer",
    "DisconnectShim",
  ]);
  const { request } = proxy.processes[0] ?? {};
  assert.deepEqual(
    { ...(request?.data?.process as object) },
    {
      id: "init",
      additionalGroups: [],
      terminal: false,
      stdio: 0,
      stderr: 0,
      args: ["sh"],
      envs: [],
      workdir: "/",
    },
  );
});

test("a shim is given the token before its process is started, and carries it alone", async (t) => {
  const { proxy, open } = await makeBench(t);
  const session = await open();
  const tokens: string[] = [];
  const startShim = async (token: string) => {
    tokens.push(token);
    proxy.commands.push("(shim)");
  };
  await session.startContainer(start, { terminal: false, startShim }, {});
  await session.startProcess("c", { args: ["x"] }, { terminal: false, startShim }, {});
  assert.equal(new Set(tokens).size, 2);
  assert.deepEqual(proxy.commands.slice(2), [
    "AttachVM",
    "(shim)",
    "newcontainer",
    "AttachVM",
    "(shim)",
    "execcmd",
  ]);
  const broken = new HuskError("ERR_ABORTED", "no shim");
  const failing = { terminal: false, startShim: () => Promise.reject(broken) };
  await assert.rejects(session.startContainer(start, failing, {}), broken);
  assert.equal(session.closed, false);
});

test("signals, sizes and all other commands go to the agent by their names", async (t) => {
  const { proxy, open } = await makeBench(t);
  const session = await open();
  const asked: unknown[] = [];
  for (const name of ["signalprocess", "winsize", "killcontainer", "pscontainer"]) {
    proxy.overrides.set(name, (socket, { payload }) => {
      asked.push(parseHyperRequest(payload));
      proxy.respond(socket, ProxyCommand.HYPER, name === "pscontainer" ? "[1]" : "");
    });
  }
  const io = attach(true);
  const processId = await session.startProcess("c", { args: ["sh"], interactive: true }, io, {});
  await io.signal(15);
  await io.resize(24, 80);
  assert.equal(await session.killContainer("c", 9, { all: true }), true);
  await session.listProcesses("c", { format: "json" }, {});
  const process = { container: "c", process: processId };
  assert.deepEqual(asked, [
    { hyperName: "signalprocess", tokens: [], data: { ...process, signal: 15 } },
    { hyperName: "winsize", tokens: [], data: { ...process, row: 24, column: 80 } },
    { hyperName: "killcontainer", tokens: [], data: { container: "c", signal: 9, allProcesses: true } },
    { hyperName: "pscontainer", tokens: [], data: { container: "c", format: "json", psargs: [] } },
  ]);
});

test("what the agent or the proxy refuses is told in its words, made harmless", async (t) => {
  const { proxy, open } = await makeBench(t);
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

test("large streams pass both ways, and a reader that stops holds up its own process alone", async (t) => {
  const { proxy, open } = await makeBench(t);
  const session = await open();
  const sent = Buffer.alloc(3_000_000, "0123456789");
  let largest = 0;
  proxy.program = (process) => {
    process.onStdin = (data) => {
      largest = Math.max(largest, data.length);
      if (data.length > 0) process.out(new Uint8Array(data));
      else process.exit(0);
    };
  };
  const echo = attach();
  await session.startProcess("c", { args: ["cat"] }, echo, {});
  echo.stdin.end(sent);
  const received = [];
  for await (const chunk of echo.stdout) received.push(chunk);
  assert.ok(Buffer.concat(received).equals(sent));
  assert.ok(largest <= MAX_STREAM_BYTES);
  const running = started(proxy);
  const stuck = attach();
  await session.startProcess("c", { args: ["yes"] }, stuck, {});
  const yes = await running;
  const chunk = new Uint8Array(32 * 1024);
  let produced = 0;
  while (yes.out(chunk)) produced += chunk.length;
  produced += chunk.length;
  // Whoever does not read does not keep others from it.
  proxy.program = (process) => {
    process.out("quick");
    process.exit(3);
  };
  const other = attach();
  await session.startProcess("c", { args: ["echo"] }, other, {});
  assert.equal(await text(other.stdout), "quick");
  await stuck.signal(15);
  let drained = 0;
  yes.exit(143);
  for await (const data of stuck.stdout) drained += data.length;
  assert.equal(drained, produced);
  assert.deepEqual(await stuck.wait(), { exitCode: 143 });
});

test("a proxy that dies takes along what it carried, and what it had sent is still read", async (t) => {
  const { proxy, open } = await makeBench(t);
  const closed = Promise.withResolvers<void>();
  const session = await open({ events: { onExit: () => {}, onClosed: closed.resolve } });
  const io = attach();
  const running = started(proxy);
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  (await running).out("last words");
  const [first] = await new Promise<Buffer[]>((resolve) => io.stdout.once("data", (data) => resolve([data])));
  assert.equal(String(first), "last words");
  // One whose reader has stopped ends too.
  const stuck = attach();
  const stuckRunning = started(proxy);
  await session.startProcess("c", { args: ["yes"] }, stuck, {});
  const yes = await stuckRunning;
  while (yes.out(new Uint8Array(32 * 1024)));
  proxy.overrides.set("killcontainer", () => proxy.close());
  await assert.rejects(session.killContainer("c", 0, {}), lost);
  await assert.rejects(io.wait(), lost);
  await assert.rejects(stuck.wait(), lost);
  assert.equal(session.closed, true);
  await assert.rejects(session.startProcess("c", { args: ["x"] }, attach(), {}), lost);
  await assert.rejects(open(), {
    code: "ERR_AGENT_DISCONNECTED",
    message: /nobody serves .*proxy \(ENOENT|ECONNREFUSED/,
  });
  await closed.promise;
});

test("a connection that carries a process and breaks off loses that process alone", async (t) => {
  const { proxy, open } = await makeBench(t);
  const session = await open();
  const io = attach();
  const running = started(proxy);
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  (await running).shim.destroy();
  await assert.rejects(io.wait(), lost);
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
    const { proxy, open } = await makeBench(t);
    const session = await open();
    const io = attach();
    const running = started(proxy);
    await session.startProcess("c", { args: ["sleep"] }, io, {});
    (await running).shim.write(bytes);
    await assert.rejects(io.wait(), { code: "ERR_AGENT_PROTOCOL" }, name);
    assert.equal(session.closed, false, name);
  }
  const { proxy, open } = await makeBench(t);
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
  const { proxy, open } = await makeBench(t);
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
  const { proxy, open } = await makeBench(t);
  proxy.overrides.set("RegisterVM", (socket) => proxy.refuse(socket, ProxyCommand.REGISTER_VM, "registered"));
  const session = await open({ fresh: true });
  assert.equal(session.closed, false);
  proxy.overrides.set("AttachVM", (socket) => proxy.refuse(socket, ProxyCommand.ATTACH_VM, "unknown"));
  await assert.rejects(open({ fresh: true }), { code: "ERR_AGENT_REFUSED", message: /registered/ });
  const gone = new HuskError("ERR_VM_LOST", "gone");
  await assert.rejects(open({ fresh: true, describeLoss: async () => gone }), gone);
});

test("a session that is closed lets go of its processes", async (t) => {
  const { proxy, open } = await makeBench(t);
  const session = await open();
  const io = attach();
  const running = started(proxy);
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  const { shim } = await running;
  const left = new Promise((resolve) => shim.once("close", resolve));
  session.close();
  await left;
  assert.equal(proxy.commands.at(-1), "DisconnectShim");
  await assert.rejects(io.wait(), lost);
});

test("a VM is unregistered, be the proxy there or not", async (t) => {
  const { proxy, proxySocket } = await makeBench(t);
  await unregisterVm(proxySocket, "pod", { timeoutMs: 60_000 });
  assert.deepEqual(proxy.commands, ["UnregisterVM"]);
  proxy.overrides.set("UnregisterVM", (socket) => proxy.refuse(socket, ProxyCommand.UNREGISTER_VM, "no"));
  await assert.rejects(unregisterVm(proxySocket, "pod", { timeoutMs: 60_000 }), {
    code: "ERR_AGENT_REFUSED",
  });
  proxy.overrides.set("UnregisterVM", () => proxy.close());
  await unregisterVm(proxySocket, "pod", { timeoutMs: 60_000 });
  await unregisterVm(proxySocket, "pod", { timeoutMs: 60_000 });
});
