import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concat, cut, hex } from "../test-support/bytes.ts";
import { FrameError } from "./frame-error.ts";
import type { StreamFrame } from "./stream-frame.ts";
import { encodeStream, StreamDecoder, writeStreamHeader } from "./stream-frame.ts";

const arbitraryFrame = fc.record(
  { seq: fc.maxSafeNat(), data: fc.uint8Array({ maxLength: 600 }) },
  { noNullPrototype: true },
);

function pushAll(decoder: StreamDecoder, pieces: readonly Uint8Array[]): StreamFrame[] {
  return pieces.flatMap((piece) => decoder.push(piece));
}

/** Byte examples of the protocol's fact sheet, and the edges of the sequence number. */
const golden: [name: string, bytes: Uint8Array, seq: number, data: Uint8Array][] = [
  ["end of stream 5", hex("0000000000000005 0000000c"), 5, new Uint8Array(0)],
  ["one byte of stream 5", hex("0000000000000005 0000000d 07"), 5, hex("07")],
  ["stream 2^32 + 1", hex("0000000100000001 0000000c"), 2 ** 32 + 1, new Uint8Array(0)],
  ["stream 2^31", hex("0000000080000000 0000000c"), 2 ** 31, new Uint8Array(0)],
  ["stream 2^53 - 1", hex("001fffffffffffff 0000000e 6869"), 2 ** 53 - 1, hex("6869")],
];

for (const [name, bytes, seq, data] of golden) {
  test(`${name} has its golden bytes`, () => {
    assert.deepEqual(encodeStream(seq, data), bytes);
    assert.deepEqual(new StreamDecoder().push(bytes), [{ seq, data }]);
  });
}

test("any frames, cut anywhere, come out as they went in", () => {
  fc.assert(
    fc.property(fc.array(arbitraryFrame, { maxLength: 6 }), fc.array(fc.nat(3000)), (frames, offsets) => {
      const stream = concat(frames.map((frame) => encodeStream(frame.seq, frame.data)));
      const decoder = new StreamDecoder();
      assert.deepEqual(pushAll(decoder, cut(stream, offsets)), frames);
      assert.equal(decoder.pendingBytes, 0);
    }),
  );
});

test("data of a whole frame are a view of the chunk, those of a split one are not", () => {
  const chunk = encodeStream(1, hex("aabb"));
  const [whole] = new StreamDecoder().push(chunk);
  assert.equal(whole?.data.buffer, chunk.buffer);

  const decoder = new StreamDecoder();
  decoder.push(chunk.subarray(0, 4));
  const [split] = decoder.push(chunk.subarray(4));
  // A second split frame must not use the memory the first one's data stand in.
  decoder.push(encodeStream(2, hex("ccdd")).subarray(0, 13));
  decoder.push(hex("dd"));
  chunk.fill(0);
  assert.deepEqual(split?.data, hex("aabb"));
});

test("a sequence number above 2^53 - 1 is skipped and counted", () => {
  const decoder = new StreamDecoder();
  const stream = concat([hex("0020000000000000 0000000e 6869"), encodeStream(3, hex("61"))]);
  assert.deepEqual(decoder.push(stream), [{ seq: 3, data: hex("61") }]);
  assert.equal(decoder.skippedFrames, 1);
  assert.deepEqual(decoder.push(hex("ffffffffffffffff 0000000c")), []);
  assert.equal(decoder.skippedFrames, 2);
});

test("a length below 12 or above the maximum ends the channel, with the frames before it", () => {
  for (const length of ["00000000", "0000000b", "0001000d", "ffffffff"]) {
    const decoder = new StreamDecoder();
    const stream = concat([encodeStream(1, hex("61")), hex(`0000000000000001 ${length}`)]);
    assert.throws(
      () => decoder.push(stream),
      (error) =>
        error instanceof FrameError && error.code === "ERR_FRAME_LENGTH" && error.frames.length === 1,
    );
    assert.throws(() => decoder.push(hex("00")), { code: "ERR_FRAME_STOPPED" });
    decoder.reset();
    assert.equal(decoder.push(encodeStream(1)).length, 1);
  }
});

test("the longest frame has 64 KiB of data unless told otherwise", () => {
  assert.equal(new StreamDecoder().push(encodeStream(1, new Uint8Array(65536)))[0]?.data.length, 65536);
  const small = new StreamDecoder({ maxFrameBytes: 4096 });
  assert.equal(small.push(encodeStream(1, new Uint8Array(4084)))[0]?.data.length, 4084);
  assert.throws(() => small.push(encodeStream(1, new Uint8Array(4085))), { code: "ERR_FRAME_LENGTH" });
});

test("writeStreamHeader writes in front of data already in place", () => {
  const buffer = hex("ff ff ff ff ff ff ff ff ff ff ff ff ff ff 6869");
  writeStreamHeader(buffer, 7, 2, 2);
  assert.deepEqual(buffer, hex("ffff 0000000000000007 0000000e 6869"));
});

test("what has no frame cannot be written", () => {
  const target = new Uint8Array(12);
  for (const seq of [-1, 0.5, 2 ** 53, Number.NaN]) {
    assert.throws(() => writeStreamHeader(target, seq, 0), RangeError);
  }
  for (const size of [-1, 0.5, 2 ** 32 - 12, Number.NaN]) {
    assert.throws(() => writeStreamHeader(target, 1, size), RangeError);
  }
  for (const offset of [-1, 1, Number.NaN]) {
    assert.throws(() => writeStreamHeader(target, 1, 0, offset), RangeError);
  }
});
