import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concat, cut, hex } from "../test-support/bytes.ts";
import { API_VERSION, Command } from "./commands.ts";
import type { ControlFrame } from "./control-frame.ts";
import { ControlDecoder, encodeControl } from "./control-frame.ts";
import { decodeNext, decodeVersion, encodeNext, encodeVersion } from "./counts.ts";
import { FrameError } from "./frame-error.ts";

const none = new Uint8Array(0);

/** Byte examples of the protocol's fact sheet. */
const golden: [name: string, bytes: Uint8Array, command: number, payload: Uint8Array][] = [
  ["READY", hex("00000008 00000008"), Command.READY, none],
  ["PING", hex("0000000c 00000008"), Command.PING, none],
  ["NEXT(8)", hex("0000000e 0000000c 00000008"), Command.NEXT, hex("00000008")],
  ["ACK", hex("00000009 00000008"), Command.ACK, none],
  ["ERROR", hex("0000000a 00000008"), Command.ERROR, none],
  ["version", hex("00000009 0000000c 00001094"), Command.ACK, encodeVersion(API_VERSION)],
];

const arbitraryFrame = fc.record(
  {
    command: fc.oneof(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 0xffff_ffff })),
    payload: fc.uint8Array({ maxLength: 600 }),
  },
  { noNullPrototype: true },
);

function pushAll(decoder: ControlDecoder, pieces: readonly Uint8Array[]): ControlFrame[] {
  return pieces.flatMap((piece) => decoder.push(piece));
}

/** The FrameError an action throws. */
function frameErrorOf(action: () => unknown): FrameError<ControlFrame> {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof FrameError);
    return error;
  }
  return assert.fail("no FrameError");
}

for (const [name, bytes, command, payload] of golden) {
  test(`${name} has its golden bytes`, () => {
    assert.deepEqual(encodeControl(command, payload), bytes);
    assert.deepEqual(new ControlDecoder().push(bytes), [{ command, payload }]);
  });
}

test("a text goes out as UTF-8", () => {
  assert.deepEqual(encodeControl(Command.EXECCMD, "ü"), hex("00000006 0000000a c3bc"));
  assert.deepEqual(encodeControl(Command.PING, ""), hex("0000000c 00000008"));
});

test("a command code that is no u32 cannot be encoded", () => {
  for (const command of [-1, 1.5, 2 ** 32, Number.NaN]) {
    assert.throws(() => encodeControl(command), RangeError);
  }
});

test("one byte at a time gives the golden frames", () => {
  const stream = concat(golden.map(([, bytes]) => bytes));
  const frames = pushAll(
    new ControlDecoder(),
    cut(
      stream,
      Array.from(stream, (_, i) => i),
    ),
  );
  assert.deepEqual(
    frames,
    golden.map(([, , command, payload]) => ({ command, payload })),
  );
});

test("any frames, cut anywhere, come out as they went in", () => {
  fc.assert(
    fc.property(fc.array(arbitraryFrame, { maxLength: 6 }), fc.array(fc.nat(3000)), (frames, offsets) => {
      const stream = concat(frames.map((frame) => encodeControl(frame.command, frame.payload)));
      const decoder = new ControlDecoder();
      assert.deepEqual(pushAll(decoder, cut(stream, offsets)), frames);
      assert.equal(decoder.pendingBytes, 0);
    }),
  );
});

test("payloads stay as they are when the chunk's memory is reused, a Node Buffer's too", () => {
  for (const chunk of [encodeControl(6, "abc"), Buffer.from(encodeControl(6, "abc"))]) {
    const [frame] = new ControlDecoder().push(chunk);
    chunk.fill(0);
    assert.deepEqual(frame?.payload, hex("616263"));
    assert.equal(frame?.payload.constructor, Uint8Array);
  }
});

test("pendingBytes counts what waits for the rest", () => {
  const decoder = new ControlDecoder();
  const frame = encodeControl(Command.EXECCMD, "abcdef");
  decoder.push(frame.subarray(0, 5));
  assert.equal(decoder.pendingBytes, 5);
  decoder.push(frame.subarray(5, 13));
  assert.equal(decoder.pendingBytes, 13);
  assert.equal(decoder.push(frame.subarray(13)).length, 1);
  assert.equal(decoder.pendingBytes, 0);
});

for (const length of ["00000000", "00000007", "01000001", "ffffffff"]) {
  test(`a length of 0x${length} ends the channel`, () => {
    for (const pieces of [1, 8]) {
      const decoder = new ControlDecoder();
      const bad = hex(`00000006 ${length}`);
      const at = Array.from({ length: pieces }, (_, i) => i);
      const error = frameErrorOf(() => pushAll(decoder, cut(bad, at)));
      assert.equal(error.code, "ERR_FRAME_LENGTH");
      assert.deepEqual(error.frames, []);
      assert.equal(decoder.pendingBytes, 0);
    }
  });
}

test("the longest and the shortest frame allowed pass", () => {
  const decoder = new ControlDecoder({ maxFrameBytes: 20 });
  assert.equal(decoder.push(encodeControl(1, "x".repeat(12)))[0]?.payload.length, 12);
  assert.equal(decoder.push(encodeControl(1))[0]?.payload.length, 0);
  assert.equal(frameErrorOf(() => decoder.push(encodeControl(1, "x".repeat(13)))).code, "ERR_FRAME_LENGTH");
});

test("a bad frame does not take the good ones before it along", () => {
  const decoder = new ControlDecoder();
  const good = [encodeControl(Command.PING), encodeControl(Command.EXECCMD, "a")];
  const stream = concat([...good, hex("00000006 00000001")]);
  assert.deepEqual(decoder.push(stream.subarray(0, 3)), []);
  const error = frameErrorOf(() => decoder.push(stream.subarray(3)));
  assert.deepEqual(error.frames, [
    { command: Command.PING, payload: none },
    { command: Command.EXECCMD, payload: hex("61") },
  ]);
});

test("after a bad frame nothing is taken until reset", () => {
  const decoder = new ControlDecoder();
  frameErrorOf(() => decoder.push(hex("00000006 00000001")));
  const error = frameErrorOf(() => decoder.push(encodeControl(Command.PING)));
  assert.equal(error.code, "ERR_FRAME_STOPPED");
  decoder.reset();
  assert.equal(decoder.push(encodeControl(Command.PING)).length, 1);
});

test("reset drops a frame begun", () => {
  const decoder = new ControlDecoder();
  decoder.push(hex("00000006 0000"));
  decoder.reset();
  assert.deepEqual(decoder.push(encodeControl(Command.PING)), [{ command: Command.PING, payload: none }]);
});

test("memory follows the bytes that came, not those claimed", () => {
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 64 }, () => new ControlDecoder());
  for (const decoder of decoders) decoder.push(hex("00000006 01000000 00"));
  assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
  assert.ok(decoders.every((decoder) => decoder.pendingBytes === 9));
});

test("a maximum below the header is refused", () => {
  assert.throws(() => new ControlDecoder({ maxFrameBytes: 7 }), RangeError);
  assert.throws(() => new ControlDecoder({ maxFrameBytes: Number.NaN }), RangeError);
});

test("encodeNext makes the whole frame, encodeVersion the payload of one", () => {
  assert.deepEqual(encodeNext(500), hex("0000000e 0000000c 000001f4"));
  assert.deepEqual(encodeVersion(API_VERSION), hex("00001094"));
});

test("counts of NEXT and versions go through 4 bytes", () => {
  for (const count of [0, 8, 30000, 0xffff_ffff]) {
    const [next] = new ControlDecoder().push(encodeNext(count));
    assert.equal(next?.command, Command.NEXT);
    assert.equal(decodeNext(next.payload), count);
    assert.equal(decodeVersion(encodeVersion(count)), count);
  }
  for (const count of [-1, 0.5, 2 ** 32]) {
    assert.throws(() => encodeNext(count), RangeError);
    assert.throws(() => encodeVersion(count), RangeError);
  }
  for (const length of [0, 3, 5]) {
    assert.throws(() => decodeNext(new Uint8Array(length)), { code: "ERR_PAYLOAD" });
    assert.throws(() => decodeVersion(new Uint8Array(length)), { code: "ERR_PAYLOAD" });
  }
});
