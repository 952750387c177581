import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { openSource } from "../../sources/open-source.ts";
import { unpackTo } from "../../sources/unpack-to.ts";
import { type HandMadeInode, makeFlist, ROOT } from "../../testing/hand-made-flist.ts";
import { makeTempDirectory, needsRoot } from "../../testing/temp-directory.ts";
import { type BlockRef, sealBlock } from "../blocks/block-codec.ts";
import { DirStore } from "../stores/dir-store.ts";
import type { UnpackOptions } from "./progress.ts";

/** A store in a directory of its own, and flists of what it has. */
class Bench {
  readonly base: string;
  readonly store: DirStore;

  constructor(base: string) {
    this.base = base;
    this.store = new DirStore(join(base, "store"), "");
  }

  async put(text: string | Uint8Array): Promise<BlockRef> {
    const block = await sealBlock(typeof text === "string" ? Buffer.from(text) : text);
    await this.store.put(block.id, block.sealed);
    return block;
  }

  async unpack(inodes: readonly HandMadeInode[], options?: UnpackOptions): Promise<string> {
    const path = makeFlist(join(this.base, `${readdirSync(this.base).length}.fl`), inodes, {
      routes: [`dir://${this.base}/store`],
    });
    using source = await openSource(path, {
      allowedStores: [`dir://${this.base}`],
      cacheDirectory: join(this.base, "cache"),
    });
    assert.ok(source.kind === "flist");
    const target = `${path}.d`;
    await unpackTo(source, target, options);
    return target;
  }

  /** What is there besides stores, caches and flists. */
  leftovers(): string[] {
    return readdirSync(this.base).filter((name) => !/^(store|cache|\d+\.fl)$/.test(name));
  }
}

test("a file is its blocks in order, however long each is", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const texts = ["a", "bc".repeat(300_00), "", "def"].filter((text) => text !== "");
  const blocks = await Promise.all(texts.map((text) => bench.put(text)));
  const text = texts.join("");
  const target = await bench.unpack([ROOT, { ino: 2, name: "f", size: text.length, blocks, mode: 0o100640 }]);
  assert.equal(readFileSync(join(target, "f"), "latin1"), text);
  assert.equal(statSync(join(target, "f")).mode & 0o7777, 0o640);
});

test("what rfs's codec made is unpacked: made by Rust's snap, Python's BLAKE2b and AES-GCM", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const [id, key, sealed] = [
    "d139c46e6cc65acfa2eef1d0cd7abf014667fdc9a5ca75d9184671f97301a0db",
    "c71b05fd1d1c7bf7e928ff18e58db5193e9316416cc26ba9cc9094da80d7011e",
    "e565e4a3ac6198a15bf18a61f66ca364542240205ab53f72e221a7bc1837",
  ].map((text) => Uint8Array.from(Buffer.from(text, "hex"))) as [Uint8Array, Uint8Array, Uint8Array];
  await bench.store.put(id, sealed);
  const target = await bench.unpack([ROOT, { ino: 2, name: "f", size: 12, blocks: [{ id, key }] }]);
  assert.equal(readFileSync(join(target, "f"), "utf8"), "hello world\n");
});

test("a file that is not as long as its blocks is refused, and nothing is left", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const block = await bench.put("12345");
  for (const size of [4, 6]) {
    const unpacking = bench.unpack([ROOT, { ino: 2, name: "f", size, blocks: [block] }]);
    await assert.rejects(unpacking, (error) => {
      return (
        isHuskError(error, "ERR_FLIST_INVALID") &&
        /\d\.fl: "f": its blocks have (more|fewer) than/.test(error.message)
      );
    });
  }
  assert.deepEqual(bench.leftovers(), []);
});

test("a block that is missing ends all, and nothing is left", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const there = await bench.put("x");
  const missing = await sealBlock(Buffer.from("y"));
  const inodes = Array.from({ length: 30 }, (_, i) => ({
    ino: i + 2,
    size: 1,
    blocks: [i === 20 ? missing : there],
  }));
  await assert.rejects(bench.unpack([ROOT, ...inodes]), (error) => isHuskError(error, "ERR_FLIST_BLOCK"));
  assert.deepEqual(bench.leftovers(), []);
});

test("links are made as they are, and nothing is written through them", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const outside = join(bench.base, "store");
  mkdirSync(outside, { recursive: true });
  const target = await bench.unpack([
    ROOT,
    { ino: 2, name: "a", mode: 0o120777, target: outside },
    { ino: 3, name: "b", mode: 0o120777, target: "../../../../etc" },
    { ino: 4, name: "c", mode: 0o40755 },
    { ino: 5, parent: 4, name: "d", mode: 0o120777, target: "." },
  ]);
  assert.deepEqual(readdirSync(target), ["a", "b", "c"]);
  assert.deepEqual(readdirSync(outside), []);
});

test("a directory that may not be written to can have entries", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const target = await bench.unpack([
    { ...ROOT, mode: 0o40555 },
    { ino: 2, name: "d", mode: 0o40500, mtime: 99 },
    { ino: 3, parent: 2, name: "f" },
  ]);
  const { mode, mtimeMs } = statSync(join(target, "d"));
  assert.deepEqual([mode & 0o7777, mtimeMs], [0o500, 99_000]);
});

test("sockets are left out, and that is told", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const path = makeFlist(join(bench.base, "1.fl"), [ROOT, { ino: 2, name: "s", mode: 0o140755 }]);
  using source = await openSource(path, { cacheDirectory: join(bench.base, "cache") });
  assert.ok(source.kind === "flist");
  const { leftOut } = await unpackTo(source, join(bench.base, "d"));
  assert.match(leftOut.join(), /^s: a socket/);
  assert.ok(!existsSync(join(bench.base, "d/s")));
});

test("unpacking ends when its caller goes away, and nothing is left", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const blocks = await Promise.all(
    Array.from({ length: 20 }, (_, i) => bench.put(`block ${i}..`.slice(0, 8))),
  );
  const controller = new AbortController();
  const seen: number[] = [];
  const unpacking = bench.unpack([ROOT, { ino: 2, size: 160, blocks }], {
    signal: controller.signal,
    onProgress({ bytes }) {
      seen.push(bytes);
      if (bytes >= 40) controller.abort();
    },
  });
  await assert.rejects(unpacking, (error) => isHuskError(error, "ERR_ABORTED"));
  assert.deepEqual(seen, [8, 16, 24, 32, 40]);
  assert.deepEqual(bench.leftovers(), []);
});

test("what is there already is not overwritten", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const path = makeFlist(join(bench.base, "1.fl"), [ROOT]);
  mkdirSync(join(bench.base, "full/x"), { recursive: true });
  using source = await openSource(path, { cacheDirectory: join(bench.base, "cache") });
  assert.ok(source.kind === "flist");
  await assert.rejects(unpackTo(source, join(bench.base, "full")), /is not empty/);
  mkdirSync(join(bench.base, "empty"));
  await unpackTo(source, join(bench.base, "empty"));
});

test("where nothing can be made, that is told", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const path = makeFlist(join(bench.base, "1.fl"), [ROOT]);
  using source = await openSource(path, { cacheDirectory: join(bench.base, "cache") });
  assert.ok(source.kind === "flist");
  const nowhere = unpackTo(source, join(bench.base, "none/d"));
  await assert.rejects(
    nowhere,
    (error) => isHuskError(error, "ERR_ROOTFS_BUILD") && /ENOENT/.test(error.message),
  );
  const cacheless = openSource(path, { cacheDirectory: join(path, "cache") });
  await assert.rejects(cacheless, (error) => isHuskError(error, "ERR_STORE"));
});

test("a disk that is full is told of, and nothing is left", needsRoot, async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const noise = Buffer.alloc(500_000, 1);
  const blocks = await Promise.all([bench.put(noise), bench.put(noise), bench.put(noise)]);
  const path = makeFlist(join(bench.base, "1.fl"), [ROOT, { ino: 2, size: 1_500_000, blocks }]);
  const small = join(bench.base, "small");
  mkdirSync(small);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", small]);
  try {
    using source = await openSource(path, {
      cacheDirectory: join(bench.base, "cache"),
      stores: [`dir://${bench.base}/store`],
    });
    assert.ok(source.kind === "flist");
    const unpacking = unpackTo(source, join(small, "d"));
    await assert.rejects(
      unpacking,
      (error) => isHuskError(error, "ERR_ROOTFS_BUILD") && /ENOSPC/.test(error.message),
    );
    assert.deepEqual(readdirSync(small), []);
  } finally {
    execFileSync("umount", [small]);
  }
});

test("what a killed process has left beside a target goes with the next attempt, what a living one makes stays", async (t) => {
  const bench = new Bench(makeTempDirectory(t));
  const { pid } = spawnSync("true");
  for (const name of [`.d.${pid}-1.new`, `.d.${process.ppid}-1.new`, `.other.${pid}-1.new`]) {
    mkdirSync(join(bench.base, name, "half/made"), { recursive: true });
  }
  const path = makeFlist(join(bench.base, "1.fl"), [ROOT]);
  using source = await openSource(path, { cacheDirectory: join(bench.base, "cache") });
  assert.ok(source.kind === "flist");
  await unpackTo(source, join(bench.base, "d"));
  assert.deepEqual(bench.leftovers().sort(), [`.d.${process.ppid}-1.new`, `.other.${pid}-1.new`, "d"]);
});
