import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { detectImageFormat } from "../storage/image-format.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { canReplacePlaceholder, makePlaceholder } from "./placeholder.ts";
import { REHEARSAL_OUTPUT, rehearsalProgram } from "./rehearsal-program.ts";

const TIB = 2 ** 40;

test("the program to rehearse with says something, and ends well", (t) => {
  const path = join(makeTempRoot(t).base, "program");
  writeFileSync(path, rehearsalProgram(), { mode: 0o755 });
  assert.equal(execFileSync(path, { encoding: "utf8" }), REHEARSAL_OUTPUT);
});

test("a placeholder is a large disk with next to nothing in it, and made once", async (t) => {
  const folder = join(makeTempRoot(t).base, "cache");
  mkdirSync(folder);
  const path = join(folder, "placeholder");
  // What an earlier version left.
  writeFileSync(path, "");
  assert.equal(await makePlaceholder(path), path);
  const { ino, size, blocks, mode } = statSync(path);
  assert.deepEqual({ size, mode: mode & 0o777 }, { size: TIB, mode: 0o600 });
  assert.ok(blocks * 512 < 64 * 1024, `it takes ${blocks} blocks`);
  assert.equal(detectImageFormat(path), "erofs");
  await makePlaceholder(path);
  assert.equal(statSync(path).ino, ino);
  assert.deepEqual(readdirSync(folder), ["placeholder"]);
});

test("without the program that packs it, it is empty", async (t) => {
  const { base } = makeTempRoot(t);
  const path = process.env.PATH;
  t.after(() => {
    process.env.PATH = path;
  });
  process.env.PATH = base;
  await makePlaceholder(join(base, "placeholder"));
  assert.equal(statSync(join(base, "placeholder")).size, TIB);
  assert.equal(detectImageFormat(join(base, "placeholder")), undefined);
});

test("nothing that can be written to takes its place, and no other thing than a file", (t) => {
  const { base } = makeTempRoot(t);
  const imagePath = join(base, "image");
  writeFileSync(imagePath, "");
  mkdirSync(join(base, "folder"));
  assert.ok(canReplacePlaceholder({ imagePath }));
  assert.ok(!canReplacePlaceholder({ imagePath, readOnly: false }));
  for (const name of ["folder", "missing"])
    assert.ok(!canReplacePlaceholder({ imagePath: join(base, name) }));
});
