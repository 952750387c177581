import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packFlist } from "../flist/pack/pack-flist.ts";
import { makeTempDirectory } from "../testing/temp-directory.ts";
import { shareRoot } from "./root-cache.ts";
import { isRootPinned, pinRoot, unpinRoot } from "./root-pins.ts";

test("a root is pinned as long as a directory is there, or until it is let go", (t) => {
  const base = makeTempDirectory(t);
  const [root, one, other] = ["root", "one", "other"].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [root, one, other]) mkdirSync(path);
  assert.equal(isRootPinned(root), false);
  for (const holder of [one, other, one]) pinRoot(root, holder);
  rmSync(one, { recursive: true });
  assert.equal(isRootPinned(root), true);
  assert.equal(readdirSync(`${root}.pins`).length, 1);
  unpinRoot(root, other);
  unpinRoot(root, other);
  assert.equal(isRootPinned(root), false);
});

test("a root that is pinned stays when there is no room, though nobody has it open", async (t) => {
  const base = makeTempDirectory(t);
  const holder = join(base, "holder");
  mkdirSync(holder);
  const store = `dir://${base}/store`;
  const options = { cacheDirectory: join(base, "cache"), allowedStores: [store], maxCacheBytes: 1 };
  const share = async (name: string) => {
    const tree = join(base, name);
    mkdirSync(tree, { recursive: true });
    writeFileSync(join(tree, "file"), `this is ${name}`);
    await packFlist(tree, `${tree}.fl`, { stores: [store] });
    return shareRoot(`${tree}.fl`, options);
  };
  const kept = await share("kept");
  pinRoot(kept.path, holder);
  kept[Symbol.dispose]();
  (await share("second"))[Symbol.dispose]();
  assert.ok(existsSync(join(kept.path, "file")));
  rmSync(holder, { recursive: true });
  (await share("third"))[Symbol.dispose]();
  assert.deepEqual([existsSync(kept.path), existsSync(`${kept.path}.pins`)], [false, false]);
});
