import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fingerprint } from "./fingerprint.mjs";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "husk-fingerprint-"));
  await mkdir(join(root, "src/deep"), { recursive: true });
  await writeFile(join(root, "src/a.ts"), "one");
  await writeFile(join(root, "src/deep/b.ts"), "two");
});

afterEach(() => rm(root, { recursive: true }));

test("the same sources give the same text, in whatever order they are named", async () => {
  await writeFile(join(root, "lock"), "x");
  assert.equal(fingerprint(root, ["src", "lock"]), fingerprint(root, ["lock", "src"]));
});

test("a change of contents or name, a new file and a lost one each give another text", async () => {
  const seen = new Set([fingerprint(root, ["src"])]);
  await writeFile(join(root, "src/a.ts"), "on");
  seen.add(fingerprint(root, ["src"]));
  await writeFile(join(root, "src/c.ts"), "");
  seen.add(fingerprint(root, ["src"]));
  await rm(join(root, "src/c.ts"));
  await writeFile(join(root, "src/d.ts"), "");
  seen.add(fingerprint(root, ["src"]));
  await rm(join(root, "src/deep/b.ts"));
  seen.add(fingerprint(root, ["src"]));
  assert.equal(seen.size, 5);
});

test("tests and installed packages do not count", async () => {
  const before = fingerprint(root, ["src"]);
  await writeFile(join(root, "src/a.test.ts"), "x");
  await mkdir(join(root, "src/node_modules"));
  await writeFile(join(root, "src/node_modules/c.ts"), "x");
  assert.equal(fingerprint(root, ["src"]), before);
});

test("what does not exist counts as empty", () => {
  assert.equal(fingerprint(root, ["gone"]), fingerprint(root, []));
});

test("an absolute path counts", async () => {
  const path = join(root, "src/a.ts");
  const before = fingerprint("/", [path]);
  await writeFile(path, "other");
  assert.notEqual(fingerprint("/", [path]), before);
});
