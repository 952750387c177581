import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isElf, readElfNotes, readElfSections } from "./elf.ts";
import { makeElf } from "./test-support/make-elf.ts";

function makeNote(name: string, type: number, data: Uint8Array): Buffer {
  const pad = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  const head = Buffer.alloc(12);
  head.writeUInt32LE(name.length + 1, 0);
  head.writeUInt32LE(data.length, 4);
  head.writeUInt32LE(type, 8);
  return Buffer.concat([head, pad(Buffer.from(`${name}\0`)), pad(Buffer.from(data))]);
}

test("sections come with their names and contents", () => {
  const file = makeElf([
    { name: ".one", data: Buffer.from("first") },
    { name: ".two", data: Buffer.alloc(0) },
  ]);
  const sections = readElfSections(file);
  assert.deepEqual(
    sections.map(({ name, data }) => [name, Buffer.from(data).toString("latin1")]).slice(1, 3),
    [
      [".one", "first"],
      [".two", ""],
    ],
  );
});

test("notes come with vendor, type and data, however they are padded", () => {
  const notes = Buffer.concat([
    makeNote("Xen", 18, Buffer.from([1, 2, 3, 4])),
    makeNote("Linux", 7, Buffer.from([9])),
  ]);
  const read = readElfNotes(makeElf([{ name: ".notes", type: 7, data: notes }]));
  assert.deepEqual(
    read.map(({ name, type, data }) => [name, type, [...data]]),
    [
      ["Xen", 18, [1, 2, 3, 4]],
      ["Linux", 7, [9]],
    ],
  );
});

test("what is no ELF file for x86-64 is refused", () => {
  const file = makeElf([]);
  for (const [at, value] of [
    [0, 0x7e],
    [4, 1],
    [5, 2],
  ] as const) {
    const broken = Buffer.from(file);
    broken[at] = value;
    assert.equal(isElf(broken), false);
    assert.throws(() => readElfSections(broken), /not a 64-bit/);
  }
  assert.equal(isElf(file.subarray(0, 63)), false);
});

test("a broken file gives an error or an answer, never anything else", () => {
  const notes = makeNote("Xen", 18, Buffer.from([1, 2, 3, 4]));
  const file = makeElf([{ name: ".notes", type: 7, data: notes }]);
  const edits = fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(edits, fc.nat(file.length), (changes, length) => {
      const broken = Buffer.from(file.subarray(0, length));
      for (const [at, value] of changes) if (at < length) broken[at] = value;
      for (const read of [readElfSections, readElfNotes]) {
        try {
          read(broken);
        } catch (error) {
          assert.match((error as Error).message, /ELF file/);
        }
      }
    }),
  );
});
