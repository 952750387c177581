import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import {
  API_VERSION,
  Command,
  encodeControl,
  encodeNext,
  encodeProcessAsyncEvent,
  encodeStream,
  encodeVersion,
} from "@husk/wire/hyperstart";
import { makeAgentBench } from "../../testing/open-agent.ts";
import { GuestProcess } from "../guest-process.ts";

const version = encodeControl(Command.ACK, encodeVersion(API_VERSION));
const event = (status: number) =>
  encodeControl(Command.PROCESSASYNCEVENT, encodeProcessAsyncEvent("c", "init", status));

test("a new owner takes over in the middle of a frame, and hears of the ends it missed", async (t) => {
  const { peer, open, exits } = await makeAgentBench(t);
  const first = await open({ fresh: true });
  first.close();
  peer.onConnect = () => {
    peer.control?.write(Buffer.concat([event(1).subarray(11), encodeControl(Command.ACK), event(9)]));
    peer.stream?.write(encodeStream(77, Buffer.alloc(1000)).subarray(500));
  };
  const second = await open();
  assert.deepEqual(exits, ["c/init/9"]);
  peer.program = (process) => {
    process.out("clear");
    process.exit(0);
  };
  const io = new GuestProcess({ terminal: false, attached: true });
  await second.startProcess("c", { args: ["x"] }, io, {});
  assert.equal(await text(io.stdout), "clear");
  assert.deepEqual(await io.wait(), { exitCode: 0 });
});

test("what the agent still answers to those who have gone is not taken for an answer to the new owner", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const first = await open({ fresh: true });
  first.close();
  const late = [encodeNext(8), version, encodeNext(8), version, encodeNext(50), encodeControl(Command.ACK)];
  peer.onConnect = () => peer.control?.write(Buffer.concat(late));
  const second = await open();
  assert.equal(await second.killContainer("none", 0, {}), false);
  assert.equal(await second.killContainer("none", 0, {}), false);
});

test("a port that stays silent after a change of owners is connected to anew", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const first = await open({ fresh: true });
  first.close();
  let connections = 0;
  peer.onConnect = () => connections++;
  const answers = () => connections > 1;
  peer.overrides.set(Command.GETVERSION, () => {
    if (answers()) peer.sendControl(Command.ACK, encodeVersion(API_VERSION));
  });
  const second = await open({ deadlineFactor: 0.1 });
  assert.equal(connections, 2);
  assert.equal(second.isOwner, true);
  connections = Number.NEGATIVE_INFINITY;
  second.close();
  await assert.rejects(open({ deadlineFactor: 0.1 }), { code: "ERR_TIMEOUT" });
});

test("an agent that nobody spoke with is asked once, and taken over when it does not answer", async (t) => {
  const { peer, open } = await makeAgentBench(t);
  const first = await open({ fresh: true });
  first.close();
  let [connections, questions] = [0, 0];
  peer.onConnect = () => connections++;
  let isSilent = false;
  peer.overrides.set(Command.GETVERSION, () => {
    questions++;
    if (!isSilent || connections > 1) peer.sendControl(Command.ACK, encodeVersion(API_VERSION));
  });
  const second = await open({ atRest: true });
  assert.deepEqual([connections, questions], [1, 1]);
  second.close();
  [connections, questions, isSilent] = [0, 0, true];
  await open({ atRest: true, deadlineFactor: 0.1 });
  assert.equal(connections, 2);
  assert.ok(questions > 2, `${questions} questions`);
});
