import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { MAX_STREAM_BYTES, ProxyCommand, parseHyperRequest, parseRegisterVm } from "@husk/wire/cc-proxy";
import { HuskError } from "../../../errors/index.ts";
import { makeProxyBench, nextProcess, PROXY_LOST } from "../../../testing/open-proxy.ts";
import { GuestProcess } from "../../guest-process.ts";
import type { ContainerStart } from "../../types.ts";
import { unregisterVm } from "./unregister-vm.ts";

const start: ContainerStart = {
  config: { id: "c", rootFs: "/r", cmd: { args: ["sh"] } },
  storage: { root: { drive: "drive0", fstype: "erofs" }, shared: [], mounts: [], devices: [] },
};
const attach = (terminal = false) => new GuestProcess({ terminal, attached: true });

test("a new VM is registered, its agent asked for its version, and a container carried to its end", async (t) => {
  const { directory, proxy, open, exits } = await makeProxyBench(t);
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
      exits: true,
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
  const { proxy, open } = await makeProxyBench(t);
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
  const { proxy, open } = await makeProxyBench(t);
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

test("large streams pass both ways, and a reader that stops holds up its own process alone", async (t) => {
  const { proxy, open } = await makeProxyBench(t);
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
  const running = nextProcess(proxy);
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

test("ends are told once, of all processes, and at once of one whose output is not read", async (t) => {
  const { proxy, open, exits } = await makeProxyBench(t);
  const session = await open();
  const { listener } = proxy;
  assert.ok(listener);
  proxy.tellExit(listener, "other", "init", 3);
  const io = attach();
  const running = nextProcess(proxy);
  await session.startContainer(start, io, {});
  const process = await running;
  process.out("last words");
  proxy.tellExit(listener, "c", "init", 7);
  await session.isRunning("c", {});
  assert.deepEqual(exits, ["other/init/3", "c/init/7"]);
  process.exit(7);
  assert.deepEqual(await io.wait(), { exitCode: 7 });
  assert.equal(await text(io.stdout), "last words");
  // Of one that was told by its own connection first, the other says nothing new.
  const second = attach();
  const secondRunning = nextProcess(proxy);
  await session.startContainer(start, second, {});
  (await secondRunning).exit(8);
  proxy.tellExit(listener, "c", "init", 8);
  await second.wait();
  await session.isRunning("c", {});
  assert.deepEqual(exits, ["other/init/3", "c/init/7", "c/init/8"]);
});

test("a session that is closed lets go of its processes", async (t) => {
  const { proxy, open } = await makeProxyBench(t);
  const session = await open();
  const io = attach();
  const running = nextProcess(proxy);
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  const { shim } = await running;
  const left = new Promise((resolve) => shim.once("close", resolve));
  session.close();
  await left;
  assert.equal(proxy.commands.at(-1), "DisconnectShim");
  await assert.rejects(io.wait(), PROXY_LOST);
});

test("a VM is unregistered, be the proxy there or not", async (t) => {
  const { proxy, socket } = await makeProxyBench(t);
  await unregisterVm(socket, "pod", { timeoutMs: 60_000 });
  assert.deepEqual(proxy.commands, ["UnregisterVM"]);
  proxy.overrides.set("UnregisterVM", (socket) => proxy.refuse(socket, ProxyCommand.UNREGISTER_VM, "no"));
  await assert.rejects(unregisterVm(socket, "pod", { timeoutMs: 60_000 }), {
    code: "ERR_AGENT_REFUSED",
  });
  proxy.overrides.set("UnregisterVM", () => proxy.close());
  await unregisterVm(socket, "pod", { timeoutMs: 60_000 });
  await unregisterVm(socket, "pod", { timeoutMs: 60_000 });
});
