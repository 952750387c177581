import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { Command, encodeControl, encodeProcessAsyncEvent } from "@husk/wire/hyperstart";
import { directOf, makeAgentBench } from "../../testing/open-agent.ts";
import { GuestProcess } from "../guest-process.ts";
import { connectSocket } from "../socket.ts";

const attach = () => new GuestProcess({ terminal: false, attached: true });

test("a second session goes through the first, each with its own processes", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const owner = await open({ fresh: true });
  const client = await open();
  assert.deepEqual([owner.isOwner, client.isOwner], [true, false]);
  peer.program = (process) => {
    process.out(`${process.request.args[0]}:`);
    process.onStdin = (data) => {
      if (data.length > 0) process.out(data);
      else process.exit(4);
    };
  };
  const [mine, theirs] = [attach(), attach()];
  await owner.startProcess("c", { args: ["mine"] }, mine, {});
  await client.startProcess("c", { args: ["theirs"] }, theirs, {});
  mine.stdin.end("1");
  theirs.stdin.end("2");
  assert.equal(await text(mine.stdout), "mine:1");
  assert.equal(await text(theirs.stdout), "theirs:2");
  assert.deepEqual([await mine.wait(), await theirs.wait()], [{ exitCode: 4 }, { exitCode: 4 }]);
});

test("large streams pass both ways", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  await open({ fresh: true });
  const client = await open();
  peer.program = (process) => {
    process.onStdin = (data) => {
      if (data.length > 0) process.out(new Uint8Array(data));
      else process.exit(0);
    };
  };
  const io = attach();
  await client.startProcess("c", { args: ["cat"] }, io, {});
  const sent = Buffer.alloc(3_000_000, "0123456789");
  io.stdin.end(sent);
  const received = [];
  for await (const chunk of io.stdout) received.push(chunk);
  assert.ok(Buffer.concat(received).equals(sent));
  await io.wait();
});

test("a client that goes away takes only its own streams with it", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const owner = await open({ fresh: true });
  const client = await open();
  const closed = Promise.withResolvers<void>();
  peer.program = (process) => {
    process.onStdin = (data) => {
      if (data.length === 0 && process.request.args[0] === "theirs") closed.resolve();
    };
  };
  const io = attach();
  await client.startProcess("c", { args: ["theirs"] }, io, {});
  client.close();
  await assert.rejects(io.wait(), { code: "ERR_AGENT_DISCONNECTED" });
  await closed.promise;
  peer.processes[0]?.out("to nobody");
  assert.equal(await owner.killContainer("none", 0, {}), false);
});

test("clients are told when the owner goes, and the next one becomes the owner", async (t) => {
  const { open } = await makeAgentBench(t);
  const owner = await open({ fresh: true });
  const client = await open();
  const io = attach();
  await client.startProcess("c", { args: ["sleep"] }, io, {});
  const waiting = io.wait();
  owner.close();
  await assert.rejects(waiting, { code: "ERR_AGENT_DISCONNECTED" });
  const next = await open();
  assert.equal(next.isOwner, true);
});

test("who needs to be the owner is told when another is", async (t) => {
  const { open } = await makeAgentBench(t);
  await open({ fresh: true });
  await assert.rejects(open({ onlyOwner: true }), /no session/);
});

test("a client that breaks the protocol is sent away; the others go on", async (t) => {
  const { directory, open } = await makeAgentBench(t);
  const owner = await open({ fresh: true });
  for (const name of ["relayControl", "relayStream"] as const) {
    const socket = await connectSocket(directory.socket(name));
    socket.resume();
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.write(Buffer.from("ffffffffffffffff00000001ffffffff", "hex"));
    if (name === "relayStream") await ended;
    else socket.destroy();
  }
  const client = await open();
  assert.equal(await client.killContainer("none", 0, {}), false);
  assert.equal(owner.closed, false);
});

test("an error of the agent reaches the client in words", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  await open({ fresh: true });
  const client = await open();
  peer.overrides.set(Command.EXECCMD, () => peer.sendControl(Command.ERROR, "no such user"));
  await assert.rejects(client.startProcess("c", { args: ["x"] }, attach(), {}), {
    code: "ERR_AGENT_REFUSED",
    message: /no such user/,
  });
});

test("a client whose command comes just when the owner goes is told that, and not that it was refused", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const owner = await open({ fresh: true });
  const client = await open();
  const event = encodeControl(Command.PROCESSASYNCEVENT, encodeProcessAsyncEvent("c", "init", 0));
  directOf(owner).listen(() => owner.close());
  // The first command's answer lets the second go on, the event that comes with it ends the owner.
  peer.overrides.set(Command.EXECCMD, () =>
    peer.control?.write(Buffer.concat([encodeControl(Command.ACK), event])),
  );
  const start = () => client.startProcess("c", { args: ["x"] }, attach(), {});
  const [, second] = await Promise.allSettled([start(), start()]);
  assert.equal(second.status === "rejected" && second.reason.code, "ERR_AGENT_DISCONNECTED");
});
