import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { MARKER_RANDOM_BYTES, makeStreamMarker } from "./resync.ts";
import { encodeStream, StreamDecoder } from "./stream-frame.ts";
import { StreamSalvage } from "./stream-salvage.ts";

const isKnown = (seq: number) => seq >= 1 && seq < 100;

/** Frames that come of pieces, with a marker left out. */
function salvage(bytes: Uint8Array, pieces: readonly number[], marker: Uint8Array) {
  const [markerFrame] = new StreamDecoder().push(marker);
  const salvage = new StreamSalvage(marker, isKnown);
  const decoder = new StreamDecoder();
  const frames = [];
  let isFound = false;
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (pieces[i] ?? bytes.length);
    const piece = bytes.subarray(at, end);
    const found: Uint8Array | undefined = isFound ? piece : salvage.push(piece);
    isFound ||= found !== undefined;
    if (found) frames.push(...decoder.push(found));
    at = end;
  }
  return frames
    .filter(({ seq, data }) => seq !== markerFrame?.seq || data.length > 0)
    .map(({ seq, data }) => ({ seq, data: [...data] }));
}

test("from the middle of a frame on, all whole frames are kept, wherever the bytes are cut", () => {
  const frame = fc.record({ seq: fc.integer({ min: 1, max: 99 }), data: fc.uint8Array({ maxLength: 300 }) });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 12 }),
      fc.nat(300),
      fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 20 }),
      (frames, cutAt, pieces) => {
        const marker = makeStreamMarker(randomBytes(MARKER_RANDOM_BYTES));
        const [first, ...others] = frames.map(({ seq, data }) => encodeStream(seq, data));
        const start = Math.min(cutAt, first?.length ?? 0);
        const last = encodeStream(5, Uint8Array.of(1));
        const bytes = Buffer.concat([(first ?? new Uint8Array(0)).subarray(start), ...others, marker, last]);
        const expected = frames.slice(start === 0 ? 0 : 1).map(({ seq, data }) => ({ seq, data: [...data] }));
        assert.deepEqual(salvage(bytes, pieces, marker), [...expected, { seq: 5, data: [1] }]);
      },
    ),
  );
});

test("what does not look like frames is dropped up to the marker", () => {
  const marker = makeStreamMarker(randomBytes(MARKER_RANDOM_BYTES));
  const last = encodeStream(5, Uint8Array.of(1));
  const bytes = Buffer.concat([Buffer.alloc(400_000, 0xff), marker, last]);
  assert.deepEqual(salvage(bytes, Array(50).fill(10_000), marker), [{ seq: 5, data: [1] }]);
});
