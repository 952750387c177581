import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HuskError, isHuskError } from "@husk/virtcontainers";
import fc from "fast-check";
import { makeFlist, ROOT } from "../../testing/hand-made-flist.ts";
import { makeTempDirectory } from "../../testing/temp-directory.ts";
import { readFlist } from "./read-flist.ts";

const HASH = new Uint8Array(32).fill(7);
const BLOCK = { id: HASH, key: HASH };

test("an flist is read as it was written, parents first, names in order", (t) => {
  const path = makeFlist(
    join(makeTempDirectory(t), "a.fl"),
    [
      ROOT,
      { ino: 2, parent: 5, name: "z", size: 3, uid: 4, gid: 5, mode: 0o104755, mtime: 6, blocks: [BLOCK] },
      { ino: 3, name: "ünder", mode: 0o120777, target: Buffer.from([0x2f, 0xff]) },
      { ino: 4, name: "sda", mode: 0o60660, rdev: 0x10_0802 },
      { ino: 5, name: "a", mode: 0o41777 },
      { ino: 6, name: "p", mode: 0o10600 },
      { ino: 7, name: "s", mode: 0o140600 },
      { ino: 8, parent: 5, name: "empty" },
    ],
    { routes: ["dir:///x"], after: "INSERT INTO tag VALUES ('version', '1')" },
  );
  const { entries, routes, tags, totalBytes, blockCount } = readFlist(path);
  assert.deepEqual(
    entries.map((entry) => [entry.path, entry.kind, entry.mode]),
    [
      ["", "directory", 0o755],
      ["a", "directory", 0o1777],
      ["a/empty", "file", 0o644],
      ["a/z", "file", 0o4755],
      ["p", "fifo", 0o600],
      ["s", "socket", 0o600],
      ["sda", "block", 0o660],
      ["ünder", "symlink", 0o777],
    ],
  );
  assert.deepEqual([entries[3]?.uid, entries[3]?.gid, entries[3]?.mtime, entries[3]?.size], [4, 5, 6, 3]);
  assert.deepEqual(entries[6]?.device, { major: 8, minor: 0x102 });
  assert.deepEqual(entries[7]?.target, Buffer.from([0x2f, 0xff]));
  assert.deepEqual([routes, [...tags]], [[{ start: 0, end: 255, url: "dir:///x" }], [["version", "1"]]]);
  assert.deepEqual([totalBytes, blockCount], [3, 1]);
});

test("what no flist may hold is refused by name", (t) => {
  const directory = makeTempDirectory(t);
  const deep = Array.from({ length: 12 }, (_, i) => ({ ino: i + 2, parent: i + 1, mode: 0o40755 }));
  const long = Array.from({ length: 20 }, (_, i) => ({
    ino: i + 2,
    parent: i + 1,
    name: "x".repeat(200),
    mode: 0o40755,
  }));
  const bad: [string, Parameters<typeof makeFlist>[1], RegExp][] = [
    ["no root", [{ ino: 2 }], /no root/],
    ["root is a file", [{ ...ROOT, mode: 0o100644 }], /root is no directory/],
    ["root is a link", [{ ...ROOT, mode: 0o120777, target: "/etc" }], /root is no directory/],
    ["root is in itself", [{ ...ROOT, parent: 1 }], /no root/],
    ["empty name", [ROOT, { ino: 2, name: "" }], /the name "" in the root/],
    ["dot", [ROOT, { ino: 2, name: "." }], /the name "\."/],
    ["dot dot", [ROOT, { ino: 2, name: ".." }], /the name "\.\."/],
    ["slash", [ROOT, { ino: 2, name: "a/../../b" }], /the name "a\/\.\.\/\.\.\/b"/],
    ["absolute", [ROOT, { ino: 2, name: "/etc" }], /the name "\/etc"/],
    ["NUL", [ROOT, { ino: 2, name: "a\0b" }], /NUL/],
    ["name too long", [ROOT, { ino: 2, name: "x".repeat(256) }], /more than 255 bytes/],
    ["no name", [ROOT, { ino: 2, name: null }], /the name ""/],
    ["not UTF-8", [ROOT, { ino: 2, name: Uint8Array.of(0x61, 0xff) }], /not in UTF-8/],
    ["twice", [ROOT, { ino: 2, name: "a" }, { ino: 3, name: "a" }], /two entries of the name "a"/],
    [
      "cycle",
      [ROOT, { ino: 2, parent: 3, mode: 0o40755 }, { ino: 3, parent: 2, mode: 0o40755 }],
      /2 entries are in no/,
    ],
    ["own parent", [ROOT, { ino: 2, parent: 2, mode: 0o40755 }], /1 entries are in no directory/],
    ["orphan", [ROOT, { ino: 2, parent: 9 }], /in no directory/],
    [
      "in a file",
      [ROOT, { ino: 2, name: "f" }, { ino: 3, parent: 2 }],
      /"f" is no directory, and has entries/,
    ],
    [
      "in a link",
      [ROOT, { ino: 2, mode: 0o120777, target: "/etc" }, { ino: 3, parent: 2 }],
      /is no directory, and has/,
    ],
    ["no kind", [ROOT, { ino: 2, mode: 0o644 }], /no known kind/],
    ["mode too large", [ROOT, { ino: 2, mode: 0o1100644 }], /mode .* is no whole number/],
    ["mode is text", [ROOT, { ino: 2, mode: "rw" }], /mode "rw"/],
    ["uid -1", [ROOT, { ino: 2, uid: 0xffffffff }], /uid/],
    ["gid negative", [ROOT, { ino: 2, gid: -1 }], /gid/],
    ["size negative", [ROOT, { ino: 2, size: -1 }], /size/],
    ["size too large", [ROOT, { ino: 2, size: 2n ** 62n }], /a\.fl: /],
    ["time", [ROOT, { ino: 2, mtime: 2 ** 50 }], /mtime/],
    ["size without blocks", [ROOT, { ino: 2, name: "f", size: 1009 }], /"f" has 1009 bytes, but 0 blocks/],
    ["blocks without size", [ROOT, { ino: 2, blocks: [BLOCK] }], /has 0 bytes, but 1 blocks/],
    ["more blocks than bytes", [ROOT, { ino: 2, size: 1, blocks: [BLOCK, BLOCK] }], /1 bytes, but 2 blocks/],
    ["a directory's blocks", [ROOT, { ino: 2, mode: 0o40755, blocks: [BLOCK] }], /no file, and has blocks/],
    [
      "short id",
      [ROOT, { ino: 2, size: 1, blocks: [{ id: HASH.subarray(1), key: HASH }] }],
      /id has 31 bytes/,
    ],
    [
      "long key",
      [ROOT, { ino: 2, size: 1, blocks: [{ id: HASH, key: new Uint8Array(33) }] }],
      /key has more than 32/,
    ],
    ["link to nowhere", [ROOT, { ino: 2, mode: 0o120777 }], /leads nowhere/],
    ["link to nothing", [ROOT, { ino: 2, mode: 0o120777, target: "" }], /leads nowhere/],
    ["link with NUL", [ROOT, { ino: 2, mode: 0o120777, target: "a\0" }], /leads nowhere/],
    ["long link", [ROOT, { ino: 2, mode: 0o120777, target: "x".repeat(4096) }], /more than 4095/],
    ["deep", [ROOT, ...deep], /more than 10 directories deep/],
    ["long path", [ROOT, ...long], /more than 3584 bytes|directories deep/],
    [
      "too many",
      [ROOT, ...Array.from({ length: 40 }, (_, i) => ({ ino: i + 2 }))],
      /more than 30 rows in the table inode/,
    ],
    ["too much", [ROOT, { ino: 2, size: 600_000, blocks: [BLOCK, BLOCK] }], /more than 500000 bytes/],
  ];
  const limits = {
    maxFlistBytes: 1e6,
    maxEntries: 30,
    maxBlocks: 30,
    maxTotalBytes: 500_000,
    maxDepth: 10,
    maxRoutes: 3,
    maxTags: 3,
  };
  for (const [name, inodes, why] of bad) {
    const path = makeFlist(join(directory, `${name}-a.fl`), inodes);
    const refuses = (error: unknown) => isHuskError(error, "ERR_FLIST_INVALID") && why.test(error.message);
    assert.throws(() => readFlist(path, { limits }), refuses, name);
  }
});

test("a path that is too long is refused, however deep it may be", (t) => {
  const inodes = Array.from({ length: 20 }, (_, i) => ({
    ino: i + 2,
    parent: i + 1,
    name: "x".repeat(200),
    mode: 0o40755,
  }));
  const path = makeFlist(join(makeTempDirectory(t), "a.fl"), [ROOT, ...inodes]);
  assert.throws(() => readFlist(path), /more than 3584 bytes/);
});

test("tables that are none are refused: a file must not be able to run anything", (t) => {
  const directory = makeTempDirectory(t);
  const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT";
  const bad: [string, string, RegExp][] = [
    [
      "view",
      `ALTER TABLE route RENAME TO r; CREATE VIEW route AS ${endless} 0 AS start, 1 AS "end", i AS url FROM n`,
      /route is no table/,
    ],
    ["missing", "DROP TABLE extra", /there is no table extra/],
    [
      "computed",
      "DROP TABLE block; CREATE TABLE block (ino INTEGER, id AS (hex(zeroblob(1000000))), key BLOB)",
      /computes columns/,
    ],
    ["other columns", "DROP TABLE route; CREATE TABLE route (x)", /has no column start/],
    ["hidden rowid", 'DROP TABLE route; CREATE TABLE route (rowid, start, "end", url)', /has a column rowid/],
    ["routes", "INSERT INTO route SELECT 0, 256, 'dir:///'", /end "256"/],
  ];
  for (const [name, after, why] of bad) {
    const path = makeFlist(join(directory, `${name}.fl`), [ROOT], { after });
    assert.throws(() => readFlist(path), why, name);
  }
});

test("a journal beside an flist is not looked at", (t) => {
  const path = makeFlist(join(makeTempDirectory(t), "a.fl"), [ROOT]);
  writeFileSync(`${path}-journal`, Buffer.alloc(4096, 1));
  writeFileSync(`${path}-wal`, Buffer.alloc(4096, 1));
  assert.equal(readFlist(path).entries.length, 1);
});

test("a file that is cut off, empty, missing or something else is refused", (t) => {
  const directory = makeTempDirectory(t);
  const whole = readFileSync(
    makeFlist(join(directory, "a.fl"), [ROOT, ...Array.from({ length: 300 }, (_, i) => ({ ino: i + 2 }))]),
  );
  const path = join(directory, "b.fl");
  for (const bytes of [
    whole.subarray(0, whole.length - 8192),
    whole.subarray(0, 100),
    Buffer.alloc(0),
    Buffer.from("x"),
  ]) {
    writeFileSync(path, bytes);
    assert.throws(
      () => readFlist(path),
      (error) => isHuskError(error, "ERR_FLIST_INVALID"),
    );
  }
  assert.throws(
    () => readFlist(join(directory, "none")),
    (error) => isHuskError(error, "ERR_FLIST_INVALID"),
  );
});

test("a file with changed bytes is read or refused, and nothing else happens", (t) => {
  const directory = makeTempDirectory(t);
  const inodes = Array.from({ length: 40 }, (_, i) => ({ ino: i + 2, size: 3, blocks: [BLOCK] }));
  const whole = readFileSync(makeFlist(join(directory, "a.fl"), [ROOT, ...inodes], { routes: ["zdb://a"] }));
  const path = join(directory, "b.fl");
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 20 }), (changes) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      writeFileSync(path, bytes);
      try {
        readFlist(path);
      } catch (error) {
        assert.ok(error instanceof HuskError && error.code === "ERR_FLIST_INVALID", String(error));
      }
    }),
    { numRuns: 300 },
  );
});

test("no warning of Node's is printed, and others still are", async (t) => {
  const warnings: string[] = [];
  const onWarning = ({ message }: Error) => warnings.push(message);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  readFlist(makeFlist(join(makeTempDirectory(t), "a.fl"), [ROOT]));
  process.emitWarning("ours");
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(warnings.includes("ours"));
});
