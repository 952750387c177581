import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { API_VERSION, Command } from "./commands.ts";
import { ControlDecoder, encodeControl } from "./control-frame.ts";
import { encodeNext, encodeVersion } from "./counts.ts";
import { encodeProcessAsyncEvent } from "./process-event.ts";
import {
  type ControlPrefix,
  ControlResync,
  MARKER_RANDOM_BYTES,
  makeStreamMarker,
  RESYNC_RANDOM_BYTES,
  StreamResync,
  salvageFrames,
} from "./resync.ts";

const makeResync = () => new ControlResync(randomBytes(RESYNC_RANDOM_BYTES));
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
        const marker = makeStreamMarker(randomBytes(MARKER_RANDOM_BYTES));
        const resync = new StreamResync(marker);
        const rest: Uint8Array[] = [];
        let isFound = false;
        for (const piece of cut(Buffer.concat([before, marker, after]), pieces)) {
          const found: Uint8Array | undefined = isFound ? piece : resync.push(piece);
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
    const resync = makeResync();
    const answers = Buffer.concat(answersTo(resync.questions));
    const found: ControlPrefix | undefined = resync.push(
      Buffer.concat([frames.subarray(start), answers, event(3)]),
    );
    assert.deepEqual(statusesOf(found), start === 0 ? [1, 2] : [2], `from ${start}`);
    assert.deepEqual(found?.rest, event(3));
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
        const resync = makeResync();
        const row = hasRow ? answersTo(makeResync().questions) : [];
        const own = answersTo(resync.questions);
        // A C agent says NEXT for each; an exit may come at any time.
        own.splice(at, 0, encodeNext(8), event(5));
        const rest: Uint8Array[] = [];
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
  const resync = makeResync();
  assert.throws(() => resync.push(Buffer.alloc(100_000)), { code: "ERR_FRAME_LOST" });
  assert.deepEqual(salvageFrames(Buffer.alloc(60_000, 0xff)), []);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => void salvageFrames(bytes)));
});
