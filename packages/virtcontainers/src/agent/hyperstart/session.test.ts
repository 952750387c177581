import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { afterEach, test } from "node:test";
import {
  Command,
  encodeControl,
  encodeNext,
  encodeVersion,
  PSCONTAINER,
  parseInterface,
  parseProcessList,
  parseRoutes,
} from "@husk/wire/hyperstart";
import type { GuestInterface } from "../../network/types.ts";
import { directOf, makeAgentBench } from "../../testing/open-agent.ts";
import { GuestProcess } from "../guest-process.ts";
import type { ContainerStart } from "../types.ts";

afterEach(() => {
  delete process.env.HUSK_BOOT_DEADLINE_MS;
});

const start: ContainerStart = {
  config: { id: "c", rootFs: "/r", cmd: { args: ["sh"], envs: [{ var: "A", value: "1" }], user: "nobody" } },
  storage: { root: { drive: "drive0", fstype: "erofs" }, shared: [], mounts: [], devices: [] },
};
const eth0: GuestInterface = {
  name: "eth0",
  mac: "02:00:00:00:00:01",
  mtu: 1500,
  addresses: [{ address: "10.1.0.2", prefix: 24 }],
  routes: [{ dest: "default", family: "inet", gateway: "10.1.0.1" }],
  neighbours: [],
};
const attach = (terminal = false) => new GuestProcess({ terminal, attached: true });

test("a container is started with its disk, and its streams and end come back", async (t) => {
  const { peer, open, exits } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  await session.startPod({ podId: "p", hostname: "host", shares: [], addresses: [] }, {});
  peer.program = (process) => {
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
  assert.deepEqual(peer.commands, ["GETVERSION", "STARTPOD", "NEWCONTAINER"]);
  const { request } = peer.processes[0] ?? {};
  assert.equal(request?.user, "nobody");
  assert.deepEqual(request?.envs, [{ env: "A", value: "1" }]);
});

test("interfaces and routes are set up, and what the agent says against one is told", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  const asked: unknown[] = [];
  peer.overrides.set(Command.SETUPINTERFACE, ({ payload }) => {
    asked.push(parseInterface(payload).newDeviceName);
    peer.sendControl(Command.ACK);
  });
  peer.overrides.set(Command.SETUPROUTE, ({ payload }) => {
    asked.push(parseRoutes(payload));
    peer.sendControl(Command.ACK);
  });
  await session.setupInterface(eth0, {});
  await session.setupRoutes([eth0], [eth0], {});
  assert.deepEqual(asked, ["eth0", [{ dest: "default", device: "eth0", gateway: "10.1.0.1" }]]);
  // No routes, no question.
  await session.setupRoutes([{ ...eth0, routes: [] }], [], {});
  assert.equal(asked.length, 2);
  const words = 'network interface "02:00:00:00:00:01": the device did not\u001b[2J appear in 10000 ms';
  peer.overrides.set(Command.SETUPINTERFACE, () => peer.sendControl(Command.ERROR, words));
  await assert.rejects(session.setupInterface(eth0, {}), {
    code: "ERR_AGENT_REFUSED",
    message: /SETUPINTERFACE: network interface "02:00:00:00:00:01": the device did not.* in 10000 ms$/,
  });
  // An agent that says nothing, and a caller who does not wait for it.
  peer.overrides.set(Command.SETUPINTERFACE, () => {});
  const aborted = AbortSignal.timeout(50);
  await assert.rejects(session.setupInterface(eth0, { signal: aborted }), { code: "ERR_ABORTED" });
});

test("a list of processes is asked for, and what the guest says is not trusted", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  let reply = "[ 2, 17 ]";
  const asked: unknown[] = [];
  peer.overrides.set(PSCONTAINER, ({ payload }) => {
    asked.push(parseProcessList(payload));
    peer.sendControl(Command.ACK, reply);
  });
  const list = async (format: "json" | "table", args?: string[]) =>
    Buffer.from(await session.listProcesses("c", { format, args }, {})).toString();
  assert.equal(await list("json"), "[2,17]");
  reply = "PID CMD\n  2 \u001b[31mred\u001b[0m\n";
  assert.equal(await list("table", ["-o", "pid,comm"]), "PID CMD\n  2 red\n");
  assert.deepEqual(asked, [
    { container: "c", format: "json", psargs: [] },
    { container: "c", format: "table", psargs: ["-o", "pid,comm"] },
  ]);
  for (reply of ['{"pids":[]}', "[0]", '["2"]', "[", ""]) {
    await assert.rejects(list("json"), { code: "ERR_AGENT_PROTOCOL" }, reply);
  }
  peer.overrides.set(PSCONTAINER, () => peer.sendControl(Command.ERROR, "no option -z"));
  await assert.rejects(list("table", ["-z"]), {
    code: "ERR_AGENT_REFUSED",
    message: /PSCONTAINER: no option -z/,
  });
});

test("input is cut into frames that the agent takes, and nothing is lost", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  let received = 0;
  let largest = 0;
  peer.program = (process) => {
    process.onStdin = (data) => {
      received += data.length;
      largest = Math.max(largest, data.length);
      if (data.length === 0) process.exit(0);
    };
  };
  const io = attach();
  await session.startProcess("c", { args: ["cat"] }, io, {});
  io.stdin.end(Buffer.alloc(1_000_000));
  await io.wait();
  assert.equal(received, 1_000_000);
  assert.equal(largest, 4096 - 12);
});

test("a reader that stops holds up the channel, and nothing is lost when it goes on", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  const bytes = 8 * 1024 * 1024;
  peer.program = (process) => {
    for (let sent = 0; sent < bytes; sent += 32_000)
      process.out(Buffer.alloc(Math.min(32_000, bytes - sent)));
    process.exit(0);
  };
  const paused = Promise.withResolvers<void>();
  const pauseStream = directOf(session).connection.pauseStream.bind(directOf(session).connection);
  t.mock.method(directOf(session).connection, "pauseStream", () => {
    pauseStream();
    paused.resolve();
  });
  const io = attach();
  await session.startProcess("c", { args: ["cat"] }, io, {});
  await paused.promise;
  assert.ok(io.stdout.readableLength < bytes / 2);
  let received = 0;
  for await (const chunk of io.stdout) received += chunk.length;
  assert.equal(received, bytes);
  assert.deepEqual(await io.wait(), { exitCode: 0 });
});

test("the agent's refusal fails the start, and its number can be used again", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  peer.overrides.set(Command.NEWCONTAINER, () => peer.sendControl(Command.ERROR, "no such disk\x1b[2J\0"));
  await assert.rejects(session.startContainer(start, attach(), {}), {
    code: "ERR_AGENT_REFUSED",
    message: "the agent refused NEWCONTAINER: no such disk",
  });
  assert.equal(await session.killContainer("c", 0, {}), false);
});

test("a message is sent only when the one before was taken", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  let taken = 0;
  const both = Promise.withResolvers<void>();
  peer.overrides.set(Command.PING, () => {
    taken += 1;
    if (taken === 2) both.resolve();
  });
  const limits = { timeoutMs: 60_000 };
  const replies = [1, 2].map(() => directOf(session).connection.request(Command.PING, undefined, limits));
  // The first is taken, by its NEXT, but not answered: the second follows all the same.
  await both.promise;
  peer.sendControl(Command.ACK, "first");
  peer.sendControl(Command.ERROR, "second");
  const [first, second] = await Promise.all(replies);
  assert.equal(Buffer.from(first?.payload ?? []).toString(), "first");
  assert.deepEqual([first?.ok, second?.ok], [true, false]);
});

test("a reply that comes after its deadline is not taken for the next one's", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  peer.overrides.set(Command.PING, () => {});
  await assert.rejects(directOf(session).connection.request(Command.PING, undefined, { timeoutMs: 1 }), {
    code: "ERR_TIMEOUT",
  });
  peer.overrides.set(Command.PING, () => {
    peer.sendControl(Command.ACK, "late");
    peer.sendControl(Command.ACK, "own");
  });
  const reply = await directOf(session).connection.request(Command.PING, undefined, { timeoutMs: 60_000 });
  assert.equal(Buffer.from(reply.payload).toString(), "own");
});

test("a guest that never says READY, or another version, is an error of its own", async (t) => {
  process.env.HUSK_BOOT_DEADLINE_MS = "20";
  const silent = await makeAgentBench(t, { ready: false });
  await assert.rejects(silent.open({ fresh: true }), { code: "ERR_BOOT_TIMEOUT", message: /console/ });
  delete process.env.HUSK_BOOT_DEADLINE_MS;
  const old = await makeAgentBench(t);
  old.peer.overrides.set(Command.GETVERSION, () => old.peer.sendControl(Command.ACK, encodeVersion(4242)));
  await assert.rejects(old.open({ fresh: true }), { code: "ERR_AGENT_VERSION", message: /4242/ });
});

test("whatever waits is failed when the VM ends", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  const io = attach();
  await session.startProcess("c", { args: ["sleep"] }, io, {});
  peer.overrides.set(Command.PING, () => peer.close());
  await assert.rejects(session.killContainer("other", 0, { signal: AbortSignal.abort() }), {
    code: "ERR_ABORTED",
  });
  await assert.rejects(directOf(session).connection.request(Command.PING, undefined, { timeoutMs: 60_000 }), {
    code: "ERR_AGENT_DISCONNECTED",
  });
  await assert.rejects(io.wait(), { code: "ERR_VM_LOST" });
  await assert.rejects(session.startPod({ podId: "p", hostname: "h", shares: [], addresses: [] }, {}), {
    code: "ERR_VM_LOST",
  });
});

test("bad messages end the session and nothing else", async (t) => {
  const bad: [string, Uint8Array][] = [
    ["a length below the header's", Buffer.from("0000000900000007", "hex")],
    ["a length above all bounds", Buffer.from("00000009ffffffff", "hex")],
    ["a reply to nothing", encodeControl(Command.ACK)],
    ["NEXT for what was never sent", encodeNext(1)],
    ["a command of the host's", encodeControl(Command.STARTPOD)],
    ["an event that is no JSON", encodeControl(Command.PROCESSASYNCEVENT, "{")],
    ["an event of a wrong type", encodeControl(Command.PROCESSASYNCEVENT, '{"container":1}')],
  ];
  for (const [name, bytes] of bad) {
    const { peer, open } = await makeAgentBench(t);
    const session = await open({ fresh: true });
    const io = attach();
    await session.startProcess("c", { args: ["sleep"] }, io, {});
    peer.control?.write(bytes);
    await assert.rejects(io.wait(), { code: "ERR_AGENT_PROTOCOL" }, name);
    assert.ok(session.closed, name);
  }
});

test("output of unknown streams and ends of unknown processes are dropped", async (t) => {
  const { peer, open, exits } = await makeAgentBench(t);
  const session = await open({ fresh: true });
  peer.sendStream(12345, Buffer.from("whose?"));
  peer.sendControl(
    Command.PROCESSASYNCEVENT,
    '{"container":"x","process":"y","event":"finished","status":1}',
  );
  assert.equal(await session.killContainer("none", 0, {}), false);
  assert.deepEqual(exits, ["x/y/1"]);
  assert.equal(session.closed, false);
});
