import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { openSource } from "../../sources/open-source.ts";
import { unpackTo } from "../../sources/unpack-to.ts";
import { makeEveryKind } from "../../testing/every-kind.ts";
import { startFakeZdb } from "../../testing/fake-zdb.ts";
import { listTree } from "../../testing/list-tree.ts";
import { makeTempDirectory, needsRoot } from "../../testing/temp-directory.ts";
import { readFlist } from "../metadata/read-flist.ts";
import { packFlist } from "./pack-flist.ts";

/** Unpacks an flist, with a cache of its own. */
async function unpack(flist: string, target: string, base: string, allowedStores: string[]): Promise<void> {
  using source = await openSource(flist, { allowedStores, cacheDirectory: join(base, "cache") });
  assert.ok(source.kind === "flist");
  const { leftOut } = await unpackTo(source, target);
  assert.deepEqual(leftOut, []);
}

test("a tree comes back as it was, with all that is in it", needsRoot, async (t) => {
  const base = makeTempDirectory(t);
  const tree = join(base, "tree");
  mkdirSync(tree);
  makeEveryKind(tree);
  const store = `dir://${base}/store`;
  const result = await packFlist(tree, join(base, "a.fl"), { stores: [store], tags: { version: "1" } });
  await unpack(join(base, "a.fl"), join(base, "again"), base, [store]);
  assert.deepEqual(listTree(join(base, "again")), listTree(tree));
  assert.equal(result.bytes, 1_300_000 + 512 * 1024 + 3_000_000 + 7);
  assert.equal(result.blocks, 3 + 1 + 6 + 2);
  assert.ok(statSync(join(base, "again/sparse")).blocks * 512 < 600_000, "holes are holes again");
  assert.deepEqual([...readFlist(join(base, "a.fl")).tags], [["version", "1"]]);
});

test("the same tree gives the same bytes, wherever it lies", needsRoot, async (t) => {
  const base = makeTempDirectory(t);
  mkdirSync(join(base, "one"));
  makeEveryKind(join(base, "one"));
  cpSync(join(base, "one/dir"), join(base, "copy"), {
    recursive: true,
    preserveTimestamps: true,
    verbatimSymlinks: true,
  });
  const store = `dir://${base}/store`;
  const pack = async (directory: string, output: string) => {
    await packFlist(join(base, directory), join(base, output), { stores: [store] });
    return readFileSync(join(base, output));
  };
  assert.ok((await pack("one", "1.fl")).equals(await pack("one", "2.fl")));
  const entries = (file: string) =>
    readFlist(join(base, file)).entries.map(({ path, blocks }) => [path, blocks]);
  await pack("one/dir", "3.fl");
  await pack("copy", "4.fl");
  assert.deepEqual(entries("3.fl"), entries("4.fl"));
});

test("what is written has the columns, modes and numbers that rfs reads", async (t) => {
  const base = makeTempDirectory(t);
  mkdirSync(join(base, "tree/d"), { recursive: true });
  writeFileSync(join(base, "tree/d/f"), "hello world\n");
  const output = join(base, "a.fl");
  await packFlist(join(base, "tree"), output, { stores: [`dir://${base}/store`] });
  assert.equal(readFileSync(output).toString("latin1", 0, 16), "SQLite format 3\0");
  const { DatabaseSync } = await import("node:sqlite");
  using database = new DatabaseSync(output, { readOnly: true });
  const inodes = database.prepare("SELECT ino, parent, name, size, mode & 61440 AS kind FROM inode").all();
  assert.deepEqual(
    inodes.map((row) => Object.values(row)),
    [
      [1, 0, "/", 0, 0o40000],
      [2, 1, "d", 0, 0o40000],
      [3, 2, "f", 12, 0o100000],
    ],
  );
  const [block] = database.prepare("SELECT ino, hex(id) AS id, hex(key) AS key FROM block").all();
  assert.deepEqual(Object.values(block ?? {}), [
    3,
    "D139C46E6CC65ACFA2EEF1D0CD7ABF014667FDC9A5CA75D9184671F97301A0DB",
    "C71B05FD1D1C7BF7E928FF18E58DB5193E9316416CC26BA9CC9094DA80D7011E",
  ]);
});

test("blocks go to the store of their range; routes are what others call it, without passwords", async (t) => {
  const base = makeTempDirectory(t);
  const zdb = await startFakeZdb(t, { password: "secret" });
  mkdirSync(join(base, "tree"));
  for (let i = 0; i < 30; i += 1) writeFileSync(join(base, `tree/${i}`), `file ${i}`);
  const stores = [`00-7f=dir://${base}/low`, `80-ff=zdb://:secret@127.0.0.1:${zdb.port}/ns`];
  const output = join(base, "a.fl");
  await packFlist(join(base, "tree"), output, { stores });
  const low = readdirSync(join(base, "low"));
  assert.ok(low.length > 0 && low.every((name) => name < "80"));
  assert.ok(zdb.stored.size > 0 && [...zdb.stored.keys()].every((key) => key >= "ns/80"));
  assert.deepEqual(readFlist(output).routes, [
    { start: 0, end: 0x7f, url: `dir://${base}/low` },
    { start: 0x80, end: 0xff, url: `zdb://127.0.0.1:${zdb.port}/ns` },
  ]);
  await unpack(output, join(base, "again"), base, [`dir://${base}`, `zdb://:secret@127.0.0.1:${zdb.port}`]);
  assert.deepEqual(listTree(join(base, "again")), listTree(join(base, "tree")));
  await packFlist(join(base, "tree"), output, {
    stores: [`dir://${base}/low`],
    routes: ["https://:pw@example.org/b"],
  });
  assert.deepEqual(readFlist(output).routes, [{ start: 0, end: 255, url: "https://example.org/b" }]);
});

test("what cannot be packed is refused, and nothing is left", async (t) => {
  const base = makeTempDirectory(t);
  mkdirSync(join(base, "tree"));
  writeFileSync(join(base, "tree/f"), "x");
  const output = join(base, "a.fl");
  const store = `dir://${base}/store`;
  const bad: [string, () => Promise<unknown>, RegExp][] = [
    ["no directory", () => packFlist(join(base, "none"), output, { stores: [store] }), /none cannot be read/],
    ["a file", () => packFlist(join(base, "tree/f"), output, { stores: [store] }), /is no directory/],
    ["no store", () => packFlist(join(base, "tree"), output, { stores: [] }), /no store is named/],
    ["a gap", () => packFlist(join(base, "tree"), output, { stores: [`00-7f=${store}`] }), /begin with 80/],
    [
      "backwards",
      () => packFlist(join(base, "tree"), output, { stores: [`ff-00=${store}`] }),
      /range ff-00 is empty/,
    ],
    [
      "read-only store",
      () => packFlist(join(base, "tree"), output, { stores: ["http://h/"] }),
      /can only be read/,
    ],
    [
      "routes",
      () => packFlist(join(base, "tree"), output, { stores: [store], routes: [store, store] }),
      /1 stores, but 2 routes/,
    ],
    ["into itself", () => packFlist(base, output, { stores: [store] }), /is within/],
    [
      "store in itself",
      () => packFlist(join(base, "tree"), output, { stores: [`dir://${base}/tree/s`] }),
      /is within/,
    ],
    [
      "zdb down",
      () => packFlist(join(base, "tree"), output, { stores: ["zdb://127.0.0.1:1"] }),
      /does not take a block/,
    ],
  ];
  for (const [name, pack, why] of bad) await assert.rejects(pack, why, name);
  writeFileSync(Buffer.concat([Buffer.from(`${base}/tree/a`), Buffer.of(0xff)]), "");
  await assert.rejects(packFlist(join(base, "tree"), output, { stores: [store] }), /not in UTF-8/);
  assert.ok(!existsSync(output));
  assert.deepEqual(
    readdirSync(base).filter((name) => name.includes(".new")),
    [],
  );
});

test("packing ends when its caller goes away, and nothing is left", async (t) => {
  const base = makeTempDirectory(t);
  mkdirSync(join(base, "tree"));
  writeFileSync(join(base, "tree/f"), Buffer.alloc(3_000_000, 1));
  const controller = new AbortController();
  const packing = packFlist(join(base, "tree"), join(base, "a.fl"), {
    stores: [`dir://${base}/store`],
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await assert.rejects(packing, (error) => isHuskError(error, "ERR_ABORTED"));
  assert.deepEqual(
    readdirSync(base).filter((name) => name.endsWith(".new") || name.endsWith(".fl")),
    [],
  );
});
