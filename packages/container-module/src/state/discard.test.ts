import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "@husk/virtcontainers/internals";
import { makeTempDirectory, needsRoot } from "../testing/temp-directory.ts";
import { unmountIn } from "../testing/unmount-in.ts";
import { clearKept, discardDirectory, emptyTrash, removeEmptyTree } from "./discard.ts";
import { placesOf } from "./layout.ts";

test("directories without files go, and those with files stay", (t) => {
  const base = makeTempDirectory(t);
  for (const path of ["a/b/c", "d/e", "d/f"]) mkdirSync(join(base, path), { recursive: true });
  writeFileSync(join(base, "d/e/file"), "");
  removeEmptyTree(join(base, "a"));
  removeEmptyTree(join(base, "d"));
  removeEmptyTree(join(base, "none"));
  const left = ["a", "d/e/file", "d/f"].map((path) => existsSync(join(base, path)));
  assert.deepEqual(left, [false, true, false]);
});

test("the last container takes its namespace with it, and what was left in the trash goes later", async (t) => {
  const base = makeTempDirectory(t);
  const places = ["one", "other"].map((name) =>
    placesOf({ stateRoot: base, runRoot: base, logRoot: base }, { ns: "n", name }),
  );
  for (const { bundle } of places) mkdirSync(bundle, { recursive: true });
  const wasLast = [];
  for (const place of places) wasLast.push((await discardDirectory(base, place)).wasLast);
  assert.deepEqual(wasLast, [false, true]);
  assert.ok(!existsSync(join(base, "containers/n")));
  mkdirSync(join(base, "trash/left/over"), { recursive: true });
  await emptyTrash(base);
  assert.ok(!existsSync(join(base, "trash/left")));
});

test(
  "what the file system keeps of a container is told, and goes as soon as it can",
  needsRoot,
  async (t) => {
    const base = makeTempDirectory(t);
    const directory = join(base, "containers/n/a");
    const kept = join(directory, "bundle/kept");
    mkdirSync(kept, { recursive: true });
    assert.equal(await runCommand("mount", ["-t", "tmpfs", "tmpfs", kept], {}), undefined);
    try {
      const { wasLast, problem = "" } = await discardDirectory(base, { directory });
      const [, left = ""] = /^(\S+\/trash\/left-[0-9a-f]+) cannot be removed: EBUSY/.exec(problem) ?? [];
      assert.deepEqual([wasLast, existsSync(directory), existsSync(left)], [true, false, true], problem);
      await clearKept(base);
      assert.ok(existsSync(left));
      await unmountIn(base, "kept");
      await clearKept(base);
      assert.ok(!existsSync(left));
    } finally {
      await unmountIn(base, "kept");
    }
  },
);

test("what cannot be removed from the trash keeps nobody from the rest", needsRoot, async (t) => {
  const base = makeTempDirectory(t);
  const [kept, other] = ["a/mounted", "b"].map((name) => join(base, "trash", name)) as [string, string];
  for (const path of [kept, other]) mkdirSync(path, { recursive: true });
  assert.equal(await runCommand("mount", ["-t", "tmpfs", "tmpfs", kept], {}), undefined);
  try {
    await emptyTrash(base);
    assert.deepEqual([existsSync(kept), existsSync(other)], [true, false]);
  } finally {
    await runCommand("umount", [kept], {});
  }
});
