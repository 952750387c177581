import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, hex } from "../test-support/bytes.ts";
import {
  decodeMessage,
  encodeMessage,
  MAX_ELEMENTS,
  type Message,
  type MessageType,
  messageType,
  ProtobufError,
  type ProtobufErrorCode,
} from "./index.ts";

interface Leaf extends Message {
  text: string;
  numbers: number[];
}
const Leaf: MessageType<Leaf> = messageType("test.Leaf", "1s text 2*u numbers");

interface Tree extends Message {
  leaf?: Leaf;
  leaves: Leaf[];
  map: Map<string, string>;
  id: number;
}
const Tree: MessageType<Tree> = messageType("test.Tree", "1m leaf 2*m leaves 3%s map 4u id", [Leaf, Leaf]);

function errorOf(bytes: Uint8Array): ProtobufError {
  try {
    decodeMessage(Tree, bytes);
  } catch (error) {
    assert.ok(error instanceof ProtobufError);
    return error;
  }
  return assert.fail("no ProtobufError");
}

test("malformed bytes give the place and the reason", () => {
  const cases: [digits: string, code: ProtobufErrorCode, path: string][] = [
    ["0a", "ERR_PROTOBUF_TRUNCATED", "test.Tree.leaf"],
    ["0a 05 00", "ERR_PROTOBUF_TRUNCATED", "test.Tree.leaf"],
    ["0a ffffffffffffffff7f", "ERR_PROTOBUF_TRUNCATED", "test.Tree.leaf"],
    ["0a 03 0a 05 61 61 61", "ERR_PROTOBUF_TRUNCATED", "test.Tree.leaf.text"],
    ["0a 02 12 05 01 01 01", "ERR_PROTOBUF_TRUNCATED", "test.Tree.leaf.numbers"],
    ["0a 03 12 01 80", "ERR_PROTOBUF_TRUNCATED", "test.Tree.leaf.numbers"],
    ["1a 02 0a 05 61 61 61 61 61", "ERR_PROTOBUF_TRUNCATED", "test.Tree.map"],
    ["80", "ERR_PROTOBUF_TRUNCATED", "test.Tree"],
    ["20 80", "ERR_PROTOBUF_TRUNCATED", "test.Tree.id"],
    ["29 00", "ERR_PROTOBUF_TRUNCATED", "test.Tree"],
    ["2d 00", "ERR_PROTOBUF_TRUNCATED", "test.Tree"],
    ["2a 7f", "ERR_PROTOBUF_TRUNCATED", "test.Tree"],
    ["20 ffffffffffffffffffff01", "ERR_PROTOBUF_VARINT", "test.Tree.id"],
    ["00 00", "ERR_PROTOBUF_TAG", "test.Tree"],
    ["02 00", "ERR_PROTOBUF_TAG", "test.Tree"],
    ["808080808001", "ERR_PROTOBUF_TAG", "test.Tree"],
    ["2b 2c", "ERR_PROTOBUF_TAG", "test.Tree"],
    ["0c", "ERR_PROTOBUF_TAG", "test.Tree.leaf"],
    ["0e 00", "ERR_PROTOBUF_TAG", "test.Tree.leaf"],
    ["0f 00", "ERR_PROTOBUF_TAG", "test.Tree.leaf"],
    ["0a 03 0a 01 ff", "ERR_PROTOBUF_TEXT", "test.Tree.leaf.text"],
    ["1a 05 0a 03 eda080", "ERR_PROTOBUF_TEXT", "test.Tree.map"],
  ];
  for (const [digits, code, path] of cases) {
    const error = errorOf(hex(digits));
    assert.deepEqual([error.code, error.path], [code, path], digits);
    assert.ok(error.message.startsWith(`${path}: `));
  }
});

test("a message ends where its length says, although more bytes follow", () => {
  const read = decodeMessage(Tree, hex("0a 03 0a0161 20 05"));
  assert.deepEqual([read.leaf?.text, read.id], ["a", 5]);
});

test("elements are counted over the whole message", () => {
  const leaves = (count: number) => concat(Array.from({ length: count }, () => hex("1200")));
  assert.equal(decodeMessage(Tree, leaves(MAX_ELEMENTS)).leaves.length, MAX_ELEMENTS);
  const tooMany = [
    leaves(MAX_ELEMENTS + 1),
    concat([leaves(MAX_ELEMENTS), hex("0a 03 12 01 00")]),
    concat([leaves(MAX_ELEMENTS), hex("1a 00")]),
    concat([leaves(MAX_ELEMENTS), hex("28 00")]),
    encodeMessage(Tree, { leaf: { numbers: Array.from({ length: MAX_ELEMENTS + 1 }, () => 1) } }),
  ];
  for (const bytes of tooMany) assert.equal(errorOf(bytes).code, "ERR_PROTOBUF_LIMIT");
});

test("unknown fields that are copied over and over are counted", () => {
  const first = concat([hex("0a 8304 2a 8004"), new Uint8Array(512)]);
  const pieces = Array.from({ length: MAX_ELEMENTS / 2 }, () => hex("0a 02 28 00"));
  assert.equal(errorOf(concat([first, ...pieces])).code, "ERR_PROTOBUF_LIMIT");
});

test("unknown fields cost no more than their bytes", () => {
  const bytes = new Uint8Array(2 * 100_000).map((_, at) => (at % 2 === 0 ? 0x28 : at % 128));
  assert.deepEqual(decodeMessage(Tree, bytes).$unknown, bytes);
});
