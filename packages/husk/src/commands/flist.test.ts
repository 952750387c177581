import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** A directory of one test with a small tree in it, and husk with a cache there. */
function makeBench(t: TestContext) {
  const base = mkdtempSync(join(tmpdir(), "flist-"));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  mkdirSync(join(base, "tree"));
  writeFileSync(join(base, "tree/hello"), "hello world\n");
  symlinkSync("hello", join(base, "tree/link"));
  const husk = (...args: string[]) => {
    const env = { ...process.env, HUSK_CACHE: join(base, "cache") };
    return spawnSync(process.execPath, [MAIN, "flist", ...args], { cwd: base, env, encoding: "utf8" });
  };
  return { base, husk };
}

test("a directory is packed, listed and unpacked again", (t) => {
  const { base, husk } = makeBench(t);
  const packed = husk("pack", "tree", "a.fl", "--store", `dir://${base}/store`, "--tag", "a=b=c");
  assert.deepEqual([packed.status, packed.stderr], [0, ""]);
  assert.match(packed.stdout, /^packed 3 entries with 12 B in 1 blocks of 30 B\n$/);
  const listed = husk("ls", "--json", "a.fl");
  assert.equal(listed.stderr, "");
  const { entries, tags, routes } = JSON.parse(listed.stdout);
  assert.deepEqual(
    entries.map(({ path }: { path: string }) => path),
    ["/", "/hello", "/link"],
  );
  assert.deepEqual([tags, routes], [{ a: "b=c" }, [{ start: 0, end: 255, url: `dir://${base}/store` }]]);
  assert.match(husk("ls", "a.fl").stdout, /^lrwxrwxrwx .*\/link -> hello$/m);
  const unpacked = husk("unpack", "a.fl", "again", "--allow", `dir://${base}/store`, "--json");
  assert.deepEqual([unpacked.status, unpacked.stderr], [0, ""]);
  assert.deepEqual(JSON.parse(unpacked.stdout), { entries: 3, bytes: 12, leftOut: [] });
  assert.equal(readFileSync(join(base, "again/link"), "utf8"), "hello world\n");
});

test("a store that is not allowed is named, and the way to allow it", (t) => {
  const { base, husk } = makeBench(t);
  husk("pack", "tree", "a.fl", "--store", `dir://${base}/store`);
  const { status, stderr } = husk("unpack", "a.fl", "again");
  assert.equal(status, 125);
  assert.match(
    stderr,
    /a\.fl: block [0-9a-f]{64}: dir:\/\/\/.*\/store is not allowed \[ERR_FLIST_STORE_DENIED\]/,
  );
  assert.match(stderr, /hint: .*--allow URL/);
  assert.deepEqual(readdirSync(base).sort(), ["a.fl", "cache", "store", "tree"]);
});

test("wrong command lines are told, and change nothing", (t) => {
  const { base, husk } = makeBench(t);
  const wrong: [string[], RegExp][] = [
    [["pack", "tree", "a.fl"], /no store is named/],
    [["pack", "tree", "a.fl", "--store", "dir:///x", "--tag", "x"], /expected KEY=VALUE/],
    [["pack", "tree", "a.fl", "--store", "s3://k:s@h/b"], /s3:\/\/h\/b" is not of a kind/],
    [["unpack", "tree", "again"], /tree is a directory already/],
    [["unpack", "none.fl", "again"], /ERR_ROOTFS_MISSING/],
    [["ls", "tree/hello"], /ERR_FLIST_INVALID/],
    [["ls"], /missing required argument/],
  ];
  for (const [args, why] of wrong) {
    const { status, stderr } = husk(...args);
    assert.notEqual(status, 0);
    assert.match(stderr, why);
  }
  assert.ok(!readdirSync(base).some((name) => name.endsWith(".fl") || name === "again"));
});
