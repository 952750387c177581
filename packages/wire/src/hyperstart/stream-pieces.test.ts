import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { concat, cut, hex } from "../test-support/bytes.ts";
import { FrameError } from "./frame-error.ts";
import { encodeStream } from "./stream-frame.ts";
import { StreamPieces } from "./stream-pieces.ts";

test("data come in order as they are pushed, and an end as nothing, wherever the bytes are cut", () => {
  const frame = fc.record({
    seq: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
    data: fc.uint8Array({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 10 }), fc.array(fc.nat(3000)), (frames, offsets) => {
      const whole: [seq: number, data: number[]][] = [];
      const pieces = new StreamPieces((seq, data) => {
        const last = whole.at(-1);
        if (data.length > 0 && last?.[0] === seq && last[1].length > 0) last[1].push(...data);
        else whole.push([seq, [...data]]);
      });
      const bytes = concat(frames.map(({ seq, data }) => encodeStream(seq, data)));
      for (const piece of cut(bytes, offsets)) pieces.push(piece);
      const expected: typeof whole = [];
      for (const { seq, data } of frames) {
        const last = expected.at(-1);
        if (data.length > 0 && last?.[0] === seq && last[1].length > 0) last[1].push(...data);
        else expected.push([seq, [...data]]);
      }
      assert.deepEqual(whole, expected);
    }),
  );
});

test("a frame with a number that is none of ours is left out, a bad length is an error", () => {
  const seen: number[] = [];
  const pieces = new StreamPieces((seq) => seen.push(seq));
  pieces.push(
    concat([hex("ffffffffffffffff 0000000e 0102"), hex("ffffffffffffffff 0000000c"), encodeStream(7)]),
  );
  assert.deepEqual(seen, [7]);
  for (const digits of ["0000000000000001 0000000b", "0000000000000001 0001000d"])
    assert.throws(() => pieces.push(hex(digits)), FrameError);
});
