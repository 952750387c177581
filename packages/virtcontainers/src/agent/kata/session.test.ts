import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { afterEach, test } from "node:test";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { makeKataBench } from "../../testing/open-kata.ts";
import { GuestProcess } from "../guest-process.ts";
import type { ContainerStart } from "../types.ts";

afterEach(() => {
  delete process.env.HUSK_BOOT_DEADLINE_MS;
});

const attach = (terminal = false) => new GuestProcess({ terminal, attached: true });
const start: ContainerStart = {
  config: { id: "c", rootFs: "/r", cmd: { args: ["sh"] } },
  storage: { root: { drive: "drive0", fstype: "erofs" }, shared: [], mounts: [], devices: [] },
};

test("a container is started, and its streams and end come back", async (t) => {
  const { peer, open, exits } = await makeKataBench(t);
  const session = await open({ fresh: true });
  peer.program = (process) => {
    process.out("out");
    process.err("err");
    process.onStdin = (data) => {
      if (data.length === 0) process.exit(7);
      else process.out(data);
    };
  };
  const io = attach();
  io.stdin.end("in");
  await session.startContainer(start, io, {});
  assert.deepEqual(await io.wait(), { exitCode: 7 });
  assert.equal(await text(io.stdout), "outin");
  assert.equal(await text(io.stderr ?? io.stdout), "err");
  assert.deepEqual(exits, ["c/init/7"]);
  assert.deepEqual(peer.asked.slice(0, 4), ["Version", "CreateContainer", "StartContainer", "WaitProcess"]);
});

test("a container that has ended begins anew: what the guest keeps of it goes first", async (t) => {
  const { peer, open, exits } = await makeKataBench(t);
  const session = await open({ fresh: true });
  peer.program = (process) => process.exit(1);
  for (const time of [1, 2]) {
    const io = attach();
    await session.startContainer(start, io, {});
    await io.wait();
    assert.equal(exits.length, time);
  }
  const asked = peer.asked.filter((name) => /Container$/.test(name));
  const [create, begin] = ["CreateContainer", "StartContainer"];
  assert.deepEqual(asked, [create, begin, create, "RemoveContainer", create, begin]);
});

test("what a start has made goes when the start fails", async (t) => {
  const { peer, open } = await makeKataBench(t);
  const session = await open({ fresh: true });
  peer.overrides.set("StartContainer", () => {
    throw new TtrpcError(StatusCode.INTERNAL, "no such \u001b[2Jprogram");
  });
  await assert.rejects(session.startContainer(start, attach(), {}), {
    code: "ERR_AGENT_REFUSED",
    message: "the agent refused StartContainer: no such program",
  });
  assert.deepEqual(peer.processes, []);
});

test("large streams pass both ways, and nothing is read ahead of a reader", async (t) => {
  const { peer, open } = await makeKataBench(t);
  const session = await open({ fresh: true });
  peer.program = (process) => {
    process.onStdin = (data) => {
      if (data.length > 0) process.out(data);
      else process.exit(0);
    };
  };
  const io = attach();
  await session.startProcess("c", { args: ["cat"] }, io, {});
  const sent = Buffer.alloc(3_000_000, "0123456789");
  io.stdin.end(sent);
  await new Promise((resolve) => io.stdin.once("finish", resolve));
  assert.ok((peer.processes[0]?.stdout.length ?? 0) > 2_000_000, "it waits in the guest");
  const received = [];
  for await (const chunk of io.stdout) received.push(chunk);
  assert.ok(Buffer.concat(received).equals(sent));
  assert.deepEqual(await io.wait(), { exitCode: 0 });
});

test("a process that nobody reads is read all the same", async (t) => {
  const { peer, open } = await makeKataBench(t);
  const session = await open({ fresh: true });
  const done = Promise.withResolvers<void>();
  peer.program = (process) => {
    process.out(Buffer.alloc(1_000_000));
    process.onStdin = () => process.exit(0);
    void process.ended.then(() => done.resolve());
  };
  const io = new GuestProcess({ terminal: false, attached: false });
  await session.startProcess("c", { args: ["yes"] }, io, {});
  await done.promise;
  await io.wait();
});

test("a second session goes through the first, and survives no owner; the next one takes over", async (t) => {
  const { peer, open, exits } = await makeKataBench(t);
  const owner = await open({ fresh: true });
  const client = await open();
  assert.deepEqual([owner.isOwner, client.isOwner], [true, false]);
  peer.program = (process) => process.out(`${process.request?.Args[0]}:`);
  const [mine, theirs] = [attach(), attach()];
  await owner.startContainer(start, mine, {});
  await client.startProcess("c", { args: ["theirs"] }, theirs, {});
  const waiting = theirs.wait();
  owner.close();
  await assert.rejects(waiting, { code: "ERR_AGENT_DISCONNECTED" });
  await assert.rejects(mine.wait(), { code: "ERR_VM_LOST" });
  const next = await open();
  assert.equal(next.isOwner, true);
  assert.equal(await next.isRunning("c", {}), true);
  assert.equal(await next.killContainer("c", 9, {}), true);
  assert.equal(await next.isRunning("c", {}), false);
  assert.deepEqual(new Set(exits), new Set(["c/init/137"]));
});

test("a new owner hears of an end that nobody has heard", async (t) => {
  const { peer, open, exits } = await makeKataBench(t);
  const first = await open({ fresh: true });
  await first.startContainer(start, attach(), {});
  first.close();
  peer.processes[0]?.exit(3);
  const second = await open();
  assert.equal(await second.isRunning("c", {}), false);
  assert.deepEqual(exits, ["c/init/3"]);
  assert.equal(await second.killContainer("c", 15, {}), false);
  assert.equal(await second.isRunning("other", {}), false);
  peer.overrides.set("WaitProcess", () => {
    throw new TtrpcError(StatusCode.FAILED_PRECONDITION, "there is no sandbox");
  });
  assert.equal(await second.isRunning("third", {}), false);
});

test("the owner follows what a client has started and left", async (t) => {
  const { peer, open } = await makeKataBench(t);
  const exited = Promise.withResolvers<string>();
  await open({
    fresh: true,
    runningContainers: () => ["c"],
    events: { onExit: (container, _process, code) => exited.resolve(`${container}/${code}`), onClosed() {} },
  });
  const client = await open();
  await client.startContainer(start, new GuestProcess({ terminal: false, attached: false }), {});
  client.close();
  peer.processes[0]?.exit(5);
  assert.equal(await exited.promise, "c/5");
});

test("an agent that is silent, or a VM that ends, is told as such", async (t) => {
  const { peer, open } = await makeKataBench(t);
  const session = await open({ fresh: true });
  peer.overrides.set("DestroySandbox", () => new Promise(() => {}));
  const stopping = session.stopPod({});
  peer.close();
  await assert.rejects(stopping, { code: "ERR_VM_LOST" });
  await assert.rejects(open(), { code: "ERR_AGENT_DISCONNECTED" });
});

test("only our own agent has its pod taken away, as another ends with it", async (t) => {
  for (const [agentVersion, isOurs] of [
    ["3.2.0", false],
    ["3.2.0+husk", true],
  ] as const) {
    const { peer, open } = await makeKataBench(t);
    peer.agentVersion = agentVersion;
    const clearing = (await open({ fresh: true })).clearPod({});
    if (isOurs) await clearing;
    else await assert.rejects(clearing, { code: "ERR_AGENT_REFUSED", message: /outlives/ });
    assert.equal(peer.asked.includes("DestroySandbox"), isOurs);
  }
});
