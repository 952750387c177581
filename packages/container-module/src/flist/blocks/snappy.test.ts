import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeSnappy } from "./snappy-decode.ts";
import { encodeSnappy, maxSnappyLength } from "./snappy-encode.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const decode = (packed: string, maxLength = 1000) => text(decodeSnappy(hex(packed), maxLength));

test("nothing is nothing", () => {
  assert.equal(decode("00"), "");
});

test("literals with lengths of one to four bytes", () => {
  for (const [tag, bytes] of [
    ["f0", "00"],
    ["f4", "0000"],
    ["f8", "000000"],
    ["fc", "00000000"],
  ]) {
    assert.equal(decode(`01${tag}${bytes}41`), "A");
  }
});

test("copies of all three kinds, also of what they are just making", () => {
  assert.equal(decode("05" + "0061" + "0101"), "aaaaa");
  assert.equal(decode("06" + "046162" + "0e0200"), "ababab");
  assert.equal(decode("06" + "046162" + "0f02000000"), "ababab");
});

test("the encoding is that of Rust's snap", () => {
  const plain = Buffer.from("hello hello hello hello hello");
  assert.deepEqual(encodeSnappy(plain), hex("1d1468656c6c6f205a0600"));
});

test("what is not in the format is refused", () => {
  const bad: [string, RegExp][] = [
    ["", /no length/],
    ["80", /no length/],
    ["ffffffffff7f", /no length/],
    ["ffffffff0f", /more than 1000/],
    ["01", /fewer/],
    ["020041", /fewer/],
    ["01044142", /more plain bytes than announced/],
    ["0408", /cut off/],
    ["04f4", /cut off/],
    ["0501", /cut off/],
    ["060e02", /cut off/],
    ["0501" + "01", /not there/],
    ["05" + "0061" + "0100", /not there/],
    ["05" + "0061" + "0102", /not there/],
    ["01fcffffffff", /more plain bytes than announced/],
  ];
  for (const [packed, why] of bad) assert.throws(() => decode(packed), why, packed);
});

test("any bytes come back, repetitive ones too", () => {
  const repetitive = fc
    .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 300 })), {
      maxLength: 30,
    })
    .map((runs) => Buffer.concat(runs.flatMap(([bytes, times]) => Array<Uint8Array>(times).fill(bytes))));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 3000 }), repetitive), (plain) => {
      const packed = encodeSnappy(plain);
      assert.ok(packed.length <= maxSnappyLength(plain.length));
      assert.equal(Buffer.compare(decodeSnappy(packed, plain.length), plain), 0);
    }),
  );
});

test("any bytes are refused or decoded within the limit", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        assert.ok(decodeSnappy(bytes, 5000).length <= 5000);
      } catch (error) {
        assert.equal((error as Error).constructor, Error);
      }
    }),
    { numRuns: 1000 },
  );
});
