import assert from "node:assert/strict";
import { test } from "node:test";
import { hex } from "../test-support/bytes.ts";
import { decodeMessage, encodeMessage, type Message, type MessageType, messageType } from "./index.ts";

interface Inner extends Message {
  text: string;
}
const Inner: MessageType<Inner> = messageType("test.Inner", "1s text");

interface Sample extends Message {
  text: string;
  bytes: Uint8Array;
  flag: boolean;
  u32: number;
  i32: number;
  u64: bigint;
  i64: bigint;
  inner?: Inner;
  texts: string[];
  numbers: number[];
  map: Map<string, string>;
  maybe?: number;
  counts: Map<string, bigint>;
  inners: Inner[];
}
const Sample: MessageType<Sample> = messageType(
  "test.Sample",
  "1s text 2b bytes 3t flag 4u u32 5i i32 6U u64 7I i64 8m inner 9*s texts 10*u numbers 11%s map 12?u maybe 13%U counts 16*m inners",
  [Inner, Inner],
);

const nothing: Sample = {
  text: "",
  bytes: new Uint8Array(),
  flag: false,
  u32: 0,
  i32: 0,
  u64: 0n,
  i64: 0n,
  texts: [],
  numbers: [],
  map: new Map(),
  counts: new Map(),
  inners: [],
};

/** Each by hand: tag (number << 3 | wire type), then the value. */
const golden: [what: string, bytes: string, message: Partial<Sample>][] = [
  ["nothing", "", {}],
  ["a text", "0a 07 74657374696e67", { text: "testing" }],
  ["characters of two to four bytes", "0a 09 c3bc e282ac f09f9880", { text: "ü€😀" }],
  ["a byte order mark, which is text", "0a 04 efbbbf 41", { text: "\ufeffA" }],
  ["bytes", "12 02 00ff", { bytes: hex("00ff") }],
  ["a boolean", "18 01", { flag: true }],
  ["a number of two bytes", "20 9601", { u32: 150 }],
  ["the largest uint32", "20 ffffffff0f", { u32: 2 ** 32 - 1 }],
  ["a negative int32, as of 64 bits", "28 feffffffffffffffff01", { i32: -2 }],
  ["the largest uint64", "30 ffffffffffffffffff01", { u64: 2n ** 64n - 1n }],
  ["more than a number holds exactly", "30 8180808080808010", { u64: 2n ** 53n + 1n }],
  ["the lowest int64", "38 80808080808080808001", { i64: -(2n ** 63n) }],
  ["a message", "42 03 0a0161", { inner: { text: "a" } }],
  ["a message of nothing", "42 00", { inner: { text: "" } }],
  ["a list, an empty text in it", "4a 01 61 4a 00", { texts: ["a", ""] }],
  ["a packed list", "52 04 03 8e02 00", { numbers: [3, 270, 0] }],
  ["a map", "5a 06 0a0161 120162", { map: new Map([["a", "b"]]) }],
  ["a map with an empty key and value", "5a 04 0a00 1200", { map: new Map([["", ""]]) }],
  ["an optional number that is zero", "60 00", { maybe: 0 }],
  ["a map of numbers", "6a 05 0a0163 1007", { counts: new Map([["c", 7n]]) }],
  ["a field whose tag has two bytes", "8201 00", { inners: [{ text: "" }] }],
];

for (const [what, digits, message] of golden) {
  test(`golden bytes: ${what}`, () => {
    assert.deepEqual(encodeMessage(Sample, message), hex(digits));
    assert.deepEqual(decodeMessage(Sample, hex(digits)), { ...nothing, ...message });
  });
}

test("what other implementations may write is read too", () => {
  const read = (digits: string) => decodeMessage(Sample, hex(digits));
  const cases: [what: string, digits: string, message: Partial<Sample>][] = [
    ["defaults that are written out", "0a00 1800 2000", {}],
    ["a list that is not packed", "50 03 50 8e02", { numbers: [3, 270] }],
    ["a list in pieces", "52 01 03 50 04 52 01 05", { numbers: [3, 4, 5] }],
    ["the last of a field that comes twice", "20 01 20 02", { u32: 2 }],
    ["a varint that is longer than it must be", "20 8100", { u32: 1 }],
    ["a uint32 of 64 bits", "20 ffffffffffffffffff01", { u32: 2 ** 32 - 1 }],
    ["an int32 of 32 bits", "28 feffffff0f", { i32: -2 }],
    ["a boolean that is neither 0 nor 1", "18 8080808010", { flag: true }],
    ["an entry without key and value", "5a 00", { map: new Map([["", ""]]) }],
    ["an entry in the other order", "6a 05 1007 0a0163", { counts: new Map([["c", 7n]]) }],
    ["an entry that comes twice", "6a 05 0a01631007 6a050a01631008", { counts: new Map([["c", 8n]]) }],
    ["a key that objects have", "5a 0d 0a095f5f70726f746f5f5f 1200", { map: new Map([["__proto__", ""]]) }],
  ];
  for (const [what, digits, message] of cases) {
    assert.deepEqual(read(digits), { ...nothing, ...message }, what);
  }
});

test("a message that comes twice is put together", () => {
  interface Pair extends Message {
    inner?: Sample;
  }
  const Pair: MessageType<Pair> = messageType("test.Pair", "1m inner", [Sample]);
  const read = decodeMessage(Pair, hex("0a 05 0a0161 1801 0a 05 2002 4a0162"));
  assert.deepEqual(read.inner, { ...nothing, text: "a", flag: true, u32: 2, texts: ["b"] });
});

test("a number out of its field's range is refused, and the field named", () => {
  const bad: Partial<Sample>[] = [
    { u32: -1 },
    { u32: 2 ** 32 },
    { u32: 1.5 },
    { u32: Number.NaN },
    { i32: 2 ** 31 },
    { u64: -1n },
    { u64: 2n ** 64n },
    { i64: 2n ** 63n },
  ];
  for (const message of bad) {
    const [name = ""] = Object.keys(message);
    assert.throws(() => encodeMessage(Sample, message), { name: "RangeError", message: new RegExp(name) });
  }
});

test("bytes are views, also of a part of a larger memory", () => {
  const memory = hex("ffff 12 02 0102 ffff");
  const { bytes } = decodeMessage(Sample, Buffer.from(memory.buffer, 2, 4));
  assert.deepEqual(bytes, hex("0102"));
  memory[4] = 9;
  assert.deepEqual(bytes, hex("0902"));
});

test("a layout that is none is refused at the first use", () => {
  for (const layout of ["1x name", "1s", "name 1s", "1m inner"]) {
    const type = messageType("test.Wrong", layout);
    assert.throws(() => decodeMessage(type, hex("")), { name: "RangeError", message: /test\.Wrong/ });
  }
});
