import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { DEFAULT_LIMITS } from "../flist/metadata/limits.ts";
import { openSource } from "../sources/open-source.ts";
import type { SourceOptions } from "../sources/root-source.ts";
import { unpackTo } from "../sources/unpack-to.ts";
import { type LayerEntry, type LayoutFaults, makeLayout, makeTar } from "../testing/make-layout.ts";
import { makeTempDirectory, needsRoot } from "../testing/temp-directory.ts";

/** Unpacks an image of layers, and gives the directory. */
async function unpack(
  t: TestContext,
  layers: readonly (readonly LayerEntry[])[],
  faults: LayoutFaults = {},
  options: SourceOptions = {},
): Promise<string> {
  const base = makeTempDirectory(t);
  const layout = makeLayout(join(base, "layout"), layers.map(makeTar), faults);
  using source = await openSource(layout, { cacheDirectory: join(base, "cache"), ...options });
  assert.ok(source.kind === "oci");
  try {
    await unpackTo(source, join(base, "root"));
    return join(base, "root");
  } finally {
    assert.deepEqual(
      readdirSync(base).filter((name) => name.endsWith(".new")),
      [],
    );
  }
}

const directory = (path: string, rest: Partial<LayerEntry> = {}): LayerEntry => ({
  path,
  type: "Directory",
  mode: 0o755,
  ...rest,
});
const symlink = (path: string, linkpath: string): LayerEntry => ({ path, type: "SymbolicLink", linkpath });

test("layers of every compression are put on each other", needsRoot, async (t) => {
  for (const compression of ["none", "gzip", "zstd"] as const) {
    const layers = [
      [
        directory("./", { mode: 0o711, mtime: 5 }),
        directory("etc/", { mode: 0o1770, uid: 3, gid: 4, mtime: 7 }),
        { path: "etc/passwd", body: "old" },
        { path: "bin/su", body: "x".repeat(2000), mode: 0o4755, uid: 1, mtime: 9 },
      ],
      [
        { path: "etc/passwd", body: "new" },
        { path: "/etc/hard", type: "Link", linkpath: "bin/su" },
        symlink("link", "etc/passwd"),
        { path: "p", type: "FIFO", mode: 0o600 },
        { path: "null", type: "CharacterDevice", devmaj: 1, devmin: 3, mode: 0o666 },
      ],
    ] as const;
    const root = await unpack(t, layers, { compression });
    const [etc, su, top] = ["etc", "bin/su", ""].map((path) => statSync(join(root, path)));
    assert.deepEqual([etc?.mode, etc?.uid, etc?.gid, etc?.mtimeMs], [0o41770, 3, 4, 7000]);
    assert.deepEqual([su?.mode, su?.uid, su?.mtimeMs, su?.nlink], [0o104755, 1, 9000, 2]);
    assert.deepEqual([top?.mode, top?.mtimeMs], [0o40711, 5000]);
    assert.equal(readFileSync(join(root, "etc/passwd"), "utf8"), "new");
    assert.equal(readlinkSync(join(root, "link")), "etc/passwd");
    assert.ok(statSync(join(root, "p")).isFIFO());
    assert.equal(statSync(join(root, "null")).rdev, 0x103);
  }
});

test("whiteouts hide what lower layers have, and only that", async (t) => {
  const root = await unpack(t, [
    [
      directory("a"),
      { path: "a/one" },
      { path: "a/two" },
      directory("b/c"),
      { path: "b/c/d" },
      { path: "f" },
    ],
    [
      { path: "a/new" },
      { path: "a/.wh..wh..opq" },
      { path: "b/.wh.c" },
      { path: ".wh.f" },
      { path: "g" },
      { path: ".wh.g" },
      { path: ".wh.never" },
    ],
  ]);
  assert.deepEqual(readdirSync(root, { recursive: true }).map(String).sort(), ["a", "a/new", "b", "g"]);
});

test("a later layer replaces what is of another kind", async (t) => {
  const root = await unpack(t, [
    [directory("a"), { path: "a/x", body: "1" }, { path: "b", body: "2" }, symlink("c", "b")],
    [{ path: "a", body: "file" }, directory("b"), { path: "b/y", body: "3" }, { path: "c", body: "no link" }],
  ]);
  assert.equal(readFileSync(join(root, "a"), "utf8"), "file");
  assert.equal(readFileSync(join(root, "b/y"), "utf8"), "3");
  assert.ok(lstatSync(join(root, "c")).isFile());
});

test("links of directories lead to where they lead within the root, and never out of it", async (t) => {
  const outside = makeTempDirectory(t);
  writeFileSync(join(outside, "victim"), "untouched");
  const root = await unpack(t, [
    [
      directory("usr/lib"),
      symlink("lib", "usr/lib"),
      symlink("abs", "/usr"),
      symlink("up", "../../../../.."),
      symlink("out", outside),
    ],
    [
      { path: "lib/one", body: "1" },
      { path: "abs/lib/two", body: "2" },
      { path: "up/three", body: "3" },
      { path: "out/victim", body: "touched" },
      { path: "out/.wh.victim" },
      { path: "hard", type: "Link", linkpath: "abs/lib/one" },
    ],
  ]);
  assert.deepEqual(readdirSync(join(root, "usr/lib")).sort(), ["one", "two"]);
  assert.equal(readFileSync(join(root, "three"), "utf8"), "3");
  assert.equal(readFileSync(join(root, "hard"), "utf8"), "1");
  assert.equal(readFileSync(join(outside, "victim"), "utf8"), "untouched");
  assert.deepEqual(readdirSync(outside), ["victim"]);
  assert.ok(existsSync(join(root, outside)), "it is made in the root instead");
});

test("what no layer may hold is refused by name, and nothing is left", async (t) => {
  const bad: [string, LayerEntry[], RegExp][] = [
    ["upwards", [{ path: "../x" }], /leads out of it/],
    ["upwards within", [{ path: "a/../../x" }], /leads out of it/],
    ["whiteout of the parent", [{ path: "a/.wh..." }], /the name "\.wh\.\.\."/],
    ["whiteout of itself", [{ path: "a/.wh.." }], /the name "\.wh\.\."/],
    ["whiteout of nothing", [{ path: "a/.wh." }], /the name "\.wh\."/],
    ["hard link out", [{ path: "a", type: "Link", linkpath: "../../etc/passwd" }], /leads out of it/],
    ["hard link to nothing", [{ path: "a", type: "Link", linkpath: "/etc/passwd" }], /which is no file/],
    [
      "hard link to a directory",
      [directory("d"), { path: "a", type: "Link", linkpath: "d" }],
      /which is no file/,
    ],
    ["links in a circle", [symlink("a", "b"), symlink("b", "a"), { path: "a/x" }], /more than 40 links/],
    ["through a file", [{ path: "f" }, { path: "f/x" }], /leads through a file/],
    ["deep", [{ path: "d/".repeat(99) }], /too long|path/],
    ["many", Array.from({ length: 50 }, (_, i) => ({ path: `f${i}` })), /more than 40 files/],
    ["large", [{ path: "f", body: "x".repeat(6000) }], /more than 5000 bytes/],
  ];
  const limits = { ...DEFAULT_LIMITS, maxEntries: 40, maxTotalBytes: 5000, maxDepth: 50 };
  for (const [name, entries, why] of bad) {
    const unpacking = unpack(t, [entries], {}, { limits });
    await assert.rejects(
      unpacking,
      (error) => isHuskError(error, "ERR_IMAGE_INVALID") && why.test(error.message),
      name,
    );
  }
});

test("a layout that does not fit itself is refused", async (t) => {
  const layer = [{ path: "f", body: "x" }];
  const zeros = `sha256:${"0".repeat(64)}`;
  const change = (descriptor: object) => (index: { manifests: Record<string, unknown>[] }) => ({
    manifests: [{ ...index.manifests[0], ...descriptor }],
  });
  const bad: [string, LayoutFaults, RegExp][] = [
    ["other layer", { diffIds: [zeros] }, /is not the layer/],
    ["layers missing", { diffIds: [] }, /not as many layers/],
    ["manifest missing", { changeIndex: change({ digest: zeros }) }, /cannot be read/],
    ["wrong size", { changeIndex: change({ size: 5 }) }, /does not have the 5 bytes/],
    ["huge document", { changeIndex: change({ size: 1e9 }) }, /document of 1000000000 bytes/],
    ["traversal", { changeIndex: change({ digest: "sha256:../../../etc/passwd" }) }, /no known kind/],
    ["no size", { changeIndex: change({ size: "5" }) }, /without its mediaType, digest or size/],
    ["no list", { changeIndex: () => ({ manifests: 5 }) }, /no list/],
    ["no object", { changeIndex: () => [] }, /an object is missing/],
    ["no image", { changeIndex: change({ mediaType: "text/plain" }) }, /is no image/],
    [
      "no gzip",
      { compression: "none", layerType: "application/vnd.oci.image.layer.v1.tar+gzip" },
      /cannot be decompressed/,
    ],
  ];
  for (const [name, faults, why] of bad) {
    await assert.rejects(
      unpack(t, [layer], faults),
      (error) => isHuskError(error, "ERR_IMAGE_INVALID") && why.test(error.message),
      name,
    );
  }
  const encrypted = unpack(t, [layer], {
    layerType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
  });
  await assert.rejects(encrypted, (error) => isHuskError(error, "ERR_NOT_SUPPORTED"));
});

test("a blob that was changed, and a tar that is none, are refused", async (t) => {
  const base = makeTempDirectory(t);
  const layout = makeLayout(base, [makeTar([{ path: "f", body: "x" }])], { compression: "none" });
  const blobs = join(layout, "blobs/sha256");
  for (const name of readdirSync(blobs)) {
    const bytes = readFileSync(join(blobs, name));
    if (bytes.length < 2048) continue;
    bytes[2000] = 1;
    writeFileSync(join(blobs, name), bytes);
  }
  mkdirSync(join(base, "x"));
  using source = await openSource(layout);
  assert.ok(source.kind === "oci");
  await assert.rejects(unpackTo(source, join(base, "x/root")), (error) =>
    isHuskError(error, "ERR_IMAGE_INVALID"),
  );
  const noise = makeLayout(join(base, "noise"), [Buffer.alloc(4096, 7)]);
  using other = await openSource(noise);
  assert.ok(other.kind === "oci");
  await assert.rejects(unpackTo(other, join(base, "x/other")), (error) =>
    isHuskError(error, "ERR_IMAGE_INVALID"),
  );
  assert.deepEqual(readdirSync(join(base, "x")), []);
});

test("of several images the one of the tag is taken, for this machine", async (t) => {
  const base = makeTempDirectory(t);
  const layout = makeLayout(join(base, "l"), [makeTar([{ path: "f" }])], { tags: ["one", "two"] });
  await assert.rejects(openSource(layout), /has 2 images: one, two/);
  await assert.rejects(openSource(`${layout}:three`), /no image of the tag "three"/);
  using source = await openSource(`${layout}:two`);
  assert.equal(source.kind, "oci");
  const forArm = makeLayout(join(base, "arm"), [makeTar([{ path: "f" }])], {
    changeIndex: ({ manifests }) => ({
      manifests: [{ ...manifests[0], platform: { os: "linux", architecture: "arm64" } }],
    }),
  });
  await assert.rejects(openSource(forArm), /no image for linux\/amd64/);
});
