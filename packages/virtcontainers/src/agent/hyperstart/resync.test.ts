import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import {
  API_VERSION,
  Command,
  ControlDecoder,
  encodeControl,
  encodeNext,
  encodeProcessAsyncEvent,
  encodeStream,
  encodeVersion,
} from "@husk/wire/hyperstart";
import fc from "fast-check";
import { makeAgentBench } from "../../testing/open-agent.ts";
import { GuestProcess } from "../guest-process.ts";
import {
  type ControlPrefix,
  ControlResync,
  makeStreamMarker,
  StreamResync,
  salvageFrames,
} from "./resync.ts";

const version = encodeControl(Command.ACK, encodeVersion(API_VERSION));
/** What an agent answers. */
const answersTo = (questions: Uint8Array) =>
  new ControlDecoder()
    .push(questions)
    .map(({ command }) => (command === Command.GETVERSION ? version : encodeControl(Command.ACK)));
const event = (status: number) =>
  encodeControl(Command.PROCESSASYNCEVENT, encodeProcessAsyncEvent("c", "init", status));

const statusesOf = (found: ControlPrefix | undefined) =>
  (found?.frames ?? []).flatMap(({ command, payload }) =>
    command === Command.PROCESSASYNCEVENT ? [JSON.parse(Buffer.from(payload).toString()).status] : [],
  );

/** Cuts bytes into pieces of the given sizes. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 20 });

test("streams begin behind the marker, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 50 }),
      sizes,
      (before, after, pieces) => {
        const marker = makeStreamMarker();
        const resync = new StreamResync(marker);
        const rest: Buffer[] = [];
        let isFound = false;
        for (const piece of cut(Buffer.concat([before, marker, after]), pieces)) {
          const found: Buffer | undefined = isFound ? piece : resync.push(piece);
          isFound ||= found !== undefined;
          if (found) rest.push(found);
        }
        assert.deepEqual(Buffer.concat(rest), Buffer.from(after));
      },
    ),
  );
});

test("of a control channel that begins within a frame, the whole frames are kept", () => {
  const frames = Buffer.concat([event(1), encodeControl(Command.ACK), event(2)]);
  for (let start = 0; start < event(1).length; start++) {
    const resync = new ControlResync();
    const answers = Buffer.concat(answersTo(resync.questions));
    const found: ControlPrefix | undefined = resync.push(
      Buffer.concat([frames.subarray(start), answers, event(3)]),
    );
    assert.deepEqual(statusesOf(found), start === 0 ? [1, 2] : [2], `from ${start}`);
    assert.deepEqual(found?.rest, Buffer.from(event(3)));
  }
});

test("answers to others are told from one's own, wherever the bytes are cut", () => {
  const others = fc.array(
    fc.constantFrom(version, encodeControl(Command.ACK), encodeControl(Command.ERROR, "no")),
  );
  fc.assert(
    fc.property(
      others,
      fc.boolean(),
      fc.nat(15),
      fc.uint8Array({ maxLength: 50 }),
      sizes,
      (before, hasRow, at, after, pieces) => {
        const resync = new ControlResync();
        const row = hasRow ? answersTo(new ControlResync().questions) : [];
        const own = answersTo(resync.questions);
        // A C agent says NEXT for each; an exit may come at any time.
        own.splice(at, 0, encodeNext(8), event(5));
        const rest: Buffer[] = [];
        let found: ControlPrefix | undefined;
        for (const piece of cut(Buffer.concat([...before, ...row, ...own, after]), pieces)) {
          if (found) rest.push(piece);
          else {
            found = resync.push(piece);
            if (found) rest.push(found.rest);
          }
        }
        assert.deepEqual(statusesOf(found), [5]);
        assert.deepEqual(Buffer.concat(rest), Buffer.from(after));
      },
    ),
  );
});

test("what cannot be understood is bounded", () => {
  const resync = new ControlResync();
  assert.throws(() => resync.push(Buffer.alloc(100_000)), { code: "ERR_AGENT_PROTOCOL" });
  assert.deepEqual(salvageFrames(Buffer.alloc(60_000, 0xff)), []);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => void salvageFrames(bytes)));
});

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
