import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { HuskError } from "../errors/index.ts";
import type { VmRecipe } from "../factory/stage-vm.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { stageNothing } from "../testing/waiting-vm.ts";
import { clearLeftovers } from "./claim.ts";
import { podPath, podsDirectory } from "./pod-directory.ts";
import { buryStaging, claimStaging, discardStaging } from "./staging.ts";

/** A VM that waits, in a state directory of its own. */
async function stage(context: TestContext) {
  const { root, base } = makeTempRoot(context);
  const size = { vcpus: 1, memory: 256 };
  const config = { id: "waiting" };
  const recipe: VmRecipe = { config, size, key: "key", root, cache: base, templates: undefined };
  const vm = await stageNothing(recipe, "paused");
  return { root, vm, directory: vm.directory };
}

test("what waits is taken once, and is the taker's then", async (context) => {
  const { root, directory } = await stage(context);
  const claimed = claimStaging(directory.path, root);
  assert.deepEqual(claimed?.record.waiting, { key: "key", tier: "paused" });
  assert.equal(claimStaging(directory.path, root), undefined);
  assert.equal(buryStaging(directory), undefined);
  claimed?.lock.release();
  assert.ok(claimed && existsSync(claimed.directory.file("record")));
  // It is a living process's.
  assert.equal(await clearLeftovers(root), 0);
  discardStaging(claimed.directory);
  assert.deepEqual(readdirSync(podsDirectory(root)), []);
});

test("what is buried can be taken by nobody", async (context) => {
  const { root, directory } = await stage(context);
  const grave = buryStaging(directory);
  assert.equal(claimStaging(directory.path, root), undefined);
  assert.ok(grave && existsSync(grave.file("record")));
  assert.throws(() => claimStaging(grave.path, root), { code: "ERR_STORE" });
});

test("only what waits in the same state directory is taken", async (context) => {
  const { root, directory } = await stage(context);
  mkdirSync(podPath(root, "pod"));
  const elsewhere = join(dirname(root), "pods");
  for (const path of [podPath(root, "pod"), join(elsewhere, ".new-1-1-ab"), `${directory.path}/..`, "/"])
    assert.throws(() => claimStaging(path, root), { code: "ERR_STORE" }, path);
  const bare = join(podsDirectory(root), ".new-1-1-ab");
  mkdirSync(bare);
  assert.throws(() => claimStaging(bare, root), { code: "ERR_STORE" });
});

test("what cannot be read, or is not what was wanted, stays its maker's", async (context) => {
  const { root, vm, directory } = await stage(context);
  const refusal = new HuskError("ERR_CACHE_MISMATCH", "it is another");
  const refuse = () => {
    throw refusal;
  };
  assert.throws(() => claimStaging(directory.path, root, refuse), refusal);
  // A lock that cannot be opened.
  rmSync(directory.file("lock"));
  mkdirSync(directory.file("lock"));
  assert.throws(() => claimStaging(directory.path, root), { code: "ERR_STORE", message: /EISDIR/ });
  rmdirSync(directory.file("lock"));
  assert.ok(vm.takeBack());
  const { path } = vm.directory;
  writeFileSync(vm.directory.file("record"), "{");
  assert.throws(() => claimStaging(path, root), { code: "ERR_STATE_CORRUPT" });
  assert.deepEqual(readdirSync(podsDirectory(root)), [basename(path)]);
  // Its maker finds out as well, and ends it.
  assert.throws(() => vm.takeBack(), { code: "ERR_STATE_CORRUPT" });
  await vm.discard();
  assert.deepEqual(readdirSync(podsDirectory(root)), []);
});

test("how many waited with a dead keeper is told", async (context) => {
  const { root, directory } = await stage(context);
  const record = JSON.parse(JSON.stringify(claimStaging(directory.path, root)?.record));
  delete record.vm;
  const [name = ""] = readdirSync(podsDirectory(root));
  const dead = join(podsDirectory(root), ".new-1-1-ab");
  renameSync(join(podsDirectory(root), name), dead);
  writeFileSync(join(dead, "pod.json"), JSON.stringify(record));
  assert.equal(await clearLeftovers(root), 1);
  assert.deepEqual(readdirSync(podsDirectory(root)), []);
});
