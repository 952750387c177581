import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import { fingerprintTree } from "./fingerprint.ts";
import { detectImageFormat } from "./image-format.ts";
import { prepareRootfs } from "./rootfs.ts";

test("a directory is packed once, and again when anything in it has changed", async (t) => {
  const { rootFs, cache } = makeTempRoot(t);
  const phases: string[] = [];
  const options = { cache, mark: (phase: string) => phases.push(phase) };
  const first = await prepareRootfs(rootFs, options);
  assert.equal(first.fstype, "erofs");
  assert.equal(detectImageFormat(first.path), "erofs");
  assert.deepEqual(await prepareRootfs(rootFs, options), first);
  assert.equal(phases.length, 1);
  chmodSync(join(rootFs, "hello"), 0o600);
  const second = await prepareRootfs(rootFs, options);
  assert.notEqual(second.path, first.path);
  assert.equal(phases.length, 2);
  assert.deepEqual(readdirSync(dirname(first.path)).length, 2);
});

test("concurrent builders of one image all get it, and leave nothing else", async (t) => {
  const { rootFs, cache } = makeTempRoot(t);
  const images = await Promise.all(Array.from({ length: 4 }, () => prepareRootfs(rootFs, { cache })));
  assert.equal(new Set(images.map(({ path }) => path)).size, 1);
  assert.equal(readdirSync(join(cache, "rootfs")).length, 1);
});

test("an image file is taken as it is", async (t) => {
  const { rootFs, cache, base } = makeTempRoot(t);
  const { path } = await prepareRootfs(rootFs, { cache });
  assert.deepEqual(await prepareRootfs(path, { cache }), { path, fstype: "erofs" });
  const ext4 = join(base, "image");
  writeFileSync(
    ext4,
    Buffer.concat([Buffer.alloc(1024 + 0x38), Buffer.from("53ef", "hex"), Buffer.alloc(4096)]),
  );
  assert.equal((await prepareRootfs(ext4, { cache })).fstype, "ext4");
});

test("what is no root file system is refused", async (t) => {
  const { base, cache, rootFs } = makeTempRoot(t);
  const refused = { code: "ERR_ROOTFS_MISSING" };
  await assert.rejects(prepareRootfs(join(base, "none"), { cache }), refused);
  await assert.rejects(prepareRootfs(join(rootFs, "hello"), { cache }), refused);
  await assert.rejects(prepareRootfs("/dev/null", { cache }), refused);
});

test("a cache that cannot be made, and an abort, leave nothing behind", async (t) => {
  const { base, cache, rootFs } = makeTempRoot(t);
  const occupied = join(base, "file");
  writeFileSync(occupied, "");
  await assert.rejects(prepareRootfs(rootFs, { cache: occupied }), { code: "ERR_STORE" });
  await assert.rejects(prepareRootfs(rootFs, { cache, signal: AbortSignal.abort() }), {
    code: "ERR_ABORTED",
  });
  assert.deepEqual(readdirSync(join(cache, "rootfs")), []);
});

test("the fingerprint sees names, modes, times, links and depth", (t) => {
  const { rootFs } = makeTempRoot(t);
  const seen = new Set([fingerprintTree(rootFs)]);
  const change = (action: () => void) => {
    action();
    const now = fingerprintTree(rootFs);
    assert.ok(!seen.has(now));
    seen.add(now);
    assert.equal(fingerprintTree(rootFs), now);
  };
  const hello = join(rootFs, "hello");
  change(() => mkdirSync(join(rootFs, "d")));
  change(() => writeFileSync(join(rootFs, "d", "x"), ""));
  change(() => symlinkSync("/nowhere", join(rootFs, "link")));
  change(() => chmodSync(hello, 0o755));
  change(() => utimesSync(hello, 1, 1));
  change(() => writeFileSync(hello, `${readFileSync(hello, "utf8")}more`));
});
