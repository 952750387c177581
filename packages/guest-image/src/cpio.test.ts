import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { type CpioEntry, writeCpio } from "./cpio.ts";
import { readCpio } from "./test-support/read-cpio.ts";

const text = (value: string) => Buffer.from(value);

test("an archive has these very bytes", () => {
  const archive = writeCpio([
    { path: "b", kind: "file", mode: 0o755, data: text("hello") },
    { path: "a", kind: "directory", mode: 0o1777 },
  ]);
  const header = (fields: string[]) => `070701${fields.join("")}`;
  const zeros = (count: number) => Array.from({ length: count }, () => "00000000");
  const directory = ["00000001", "000043ff", ...zeros(2), "00000002", ...zeros(6), "00000002", "00000000"];
  const file = [
    "00000002",
    "000081ed",
    ...zeros(2),
    "00000001",
    "00000000",
    "00000005",
    ...zeros(4),
    "00000002",
  ];
  const trailer = [...zeros(4), "00000001", ...zeros(6), "0000000b", "00000000"];
  assert.equal(
    Buffer.from(archive).toString("latin1"),
    [
      `${header(directory)}a\0`,
      `${header([...file, "00000000"])}b\0hello\0\0\0`,
      `${header(trailer)}TRAILER!!!\0\0\0\0`,
    ].join(""),
  );
});

const NAME = fc.stringMatching(/^[a-z][a-z0-9._-]{0,12}$/);
const MODE = fc.integer({ min: 0, max: 0o7777 });
const LEAF = fc.oneof(
  fc.record({ kind: fc.constant("file" as const), mode: MODE, data: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ kind: fc.constant("symlink" as const), target: fc.stringMatching(/^[a-zA-Z0-9/]{1,20}$/) }),
  fc.record({
    kind: fc.constant("device" as const),
    mode: MODE,
    major: fc.integer({ min: 0, max: 4095 }),
    minor: fc.integer({ min: 0, max: 255 }),
  }),
);
const ENTRIES = fc
  .uniqueArray(fc.tuple(NAME, MODE, fc.uniqueArray(fc.tuple(NAME, LEAF), { selector: ([name]) => name })), {
    selector: ([name]) => name,
  })
  .map((folders) =>
    folders.flatMap(([folder, mode, leaves]): CpioEntry[] => [
      { path: folder, kind: "directory", mode },
      ...leaves.map(([name, leaf]) => ({ path: `${folder}/${name}`, ...leaf })),
    ]),
  );

test("any archive reads back as what went in, whatever the order of its entries", () => {
  fc.assert(
    fc.property(ENTRIES, (entries) => {
      const archive = writeCpio(entries);
      const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
      const plain = sorted.map((entry) =>
        entry.kind === "file" ? { ...entry, data: Buffer.from(entry.data).toString("hex") } : entry,
      );
      assert.deepEqual(readCpio(archive), plain);
      assert.deepEqual(writeCpio([...entries].reverse()), archive);
    }),
  );
});

test("the host's cpio reads it too", (t) => {
  if (spawnSync("cpio", ["--version"]).status !== 0) return t.skip("no cpio on this host");
  const archive = writeCpio([
    { path: "dev", kind: "directory", mode: 0o755 },
    { path: "dev/console", kind: "device", mode: 0o600, major: 5, minor: 1 },
    { path: "init", kind: "file", mode: 0o755, data: text("xyz") },
    { path: "sh", kind: "symlink", target: "/init" },
  ]);
  const { stdout, status } = spawnSync("cpio", ["-itv", "--numeric-uid-gid", "--quiet"], { input: archive });
  assert.equal(status, 0);
  const lines = stdout.toString().trimEnd().split("\n");
  assert.equal(lines.length, 4);
  assert.match(lines[0] ?? "", /^drwxr-xr-x +2 +0 +0 .* dev$/);
  assert.match(lines[1] ?? "", /^crw------- +1 +0 +0 +5, +1 .* dev\/console$/);
  assert.match(lines[2] ?? "", /^-rwxr-xr-x +1 +0 +0 +3 .* init$/);
  assert.match(lines[3] ?? "", /^lrwxrwxrwx .* sh -> \/init$/);
});

test("paths that would land elsewhere are refused", () => {
  for (const path of ["", "/init", "a/../b", "..", ".", "a//b", "a/", "a\0b", "TRAILER!!!"]) {
    const entries: CpioEntry[] = [
      { path: "a", kind: "directory", mode: 0o755 },
      { path, kind: "file", mode: 0o644, data: text("") },
    ];
    assert.throws(() => writeCpio(entries), /path/, JSON.stringify(path));
  }
});

test("an entry given twice, or without its folder, is refused", () => {
  const file = (path: string): CpioEntry => ({ path, kind: "file", mode: 0o644, data: text("") });
  assert.throws(() => writeCpio([file("a"), file("a")]), /twice/);
  assert.throws(() => writeCpio([file("a/b")]), /no directory/);
  assert.throws(() => writeCpio([file("a"), file("a/b")]), /no directory/);
});
