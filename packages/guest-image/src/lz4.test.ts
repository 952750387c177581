import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { unpackLegacyLz4 } from "./lz4.ts";

const MIB = 1024 * 1024;
const MAGIC = [0x02, 0x21, 0x4c, 0x18];

function frame(...blocks: readonly (readonly number[])[]): Buffer {
  const parts = blocks.map((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(block.length);
    return Buffer.concat([length, Buffer.from(block)]);
  });
  return Buffer.concat([Buffer.from(MAGIC), ...parts]);
}

const unpackText = (packed: Uint8Array, max = MIB) =>
  Buffer.from(unpackLegacyLz4(packed, max)).toString("latin1");
const codes = (text: string) => [...Buffer.from(text)];

test("literals alone", () => {
  assert.equal(unpackText(frame([0x30, ...codes("abc")])), "abc");
});

test("a match that overlaps what it writes", () => {
  // "ab", then 4 + 4 bytes from 2 back, then the literal "!"
  assert.equal(unpackText(frame([0x24, ...codes("ab"), 2, 0, 0x10, ...codes("!")])), "ababababab!");
});

test("lengths of 15 and more go on in further bytes", () => {
  const literals = "x".repeat(15 + 255 + 7);
  assert.equal(unpackText(frame([0xf0, 255, 7, ...codes(literals)])), literals);
  // one "a", a match of 15 + 3 + 4 from 1 back, then "b"
  assert.equal(unpackText(frame([0x1f, ...codes("a"), 1, 0, 3, 0x10, ...codes("b")])), `${"a".repeat(23)}b`);
});

test("bytes after the last block are ignored", () => {
  const packed = frame([0x30, ...codes("abc")]);
  assert.equal(unpackText(Buffer.concat([packed, Buffer.from([1, 2, 3])])), "abc");
});

test("damaged frames are refused", () => {
  const cases: [string, Buffer][] = [
    ["another magic", Buffer.from([1, 2, 3, 4, 5, 6, 7, 8])],
    ["no block", Buffer.from(MAGIC)],
    ["literals beyond the block", frame([0x50, 1, 2])],
    ["a match before the beginning", frame([0x14, 1, 9, 0, 0x10, 1])],
    ["a distance of 0", frame([0x14, 1, 0, 0, 0x10, 1])],
    ["a length without end", frame([0xf0, 255, 255])],
  ];
  for (const [what, packed] of cases) assert.throws(() => unpackLegacyLz4(packed, MIB), /LZ4/, what);
});

test("more output than allowed is refused", () => {
  assert.throws(() => unpackLegacyLz4(frame([0x30, ...codes("abc")]), 2), /more than 2 bytes/);
});

test("any bytes at all give an error or an answer within bounds", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (block) => {
      try {
        assert.ok(unpackLegacyLz4(frame([...block]), 16 * MIB).length <= 16 * MIB);
      } catch (error) {
        assert.match((error as Error).message, /LZ4/);
      }
    }),
    { numRuns: 60 },
  );
});

test("what the host's lz4 packs is unpacked, over several blocks", (t) => {
  if (spawnSync("lz4", ["--version"]).status !== 0) return t.skip("no lz4 on this host");
  const original = Buffer.concat([
    randomBytes(100_000),
    Buffer.alloc(17 * MIB, "some repetition "),
    randomBytes(10),
  ]);
  const { stdout } = spawnSync("lz4", ["-l", "-9", "-c"], { input: original, maxBuffer: 64 * MIB });
  assert.ok(original.equals(unpackLegacyLz4(stdout, 32 * MIB)));
});
