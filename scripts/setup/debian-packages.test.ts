import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DEBIAN_PACKAGES, findMissingPackages } from "./debian-packages.mjs";

test("a package is there when all its files are", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "husk-packages-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "a"), "");
  const packages = [
    { name: "whole", files: [join(folder, "a")], why: "" },
    { name: "half", files: [join(folder, "a"), join(folder, "b")], why: "" },
  ];
  assert.deepEqual(
    findMissingPackages(packages).map(({ name }) => name),
    ["half"],
  );
});

test("each package has a reason and a file to know it by", () => {
  for (const { name, files, why } of DEBIAN_PACKAGES) {
    assert.match(name, /^[a-z0-9][a-z0-9.+-]+$/);
    assert.ok(files.length > 0 && files.every((file) => file.startsWith("/")), name);
    assert.notEqual(why, "", name);
  }
});
