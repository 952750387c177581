import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { lockFile } from "../store/flock.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { pruneImages, useImage } from "./image-cache.ts";

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

/** A cache with images of 1 MiB each, used as many hours ago as their names tell. */
function makeCache(test: TestContext, hours: readonly number[]): string {
  const directory = join(makeTempRoot(test).base, "images");
  mkdirSync(directory);
  for (const hour of hours) {
    const path = join(directory, `${hour}.erofs`);
    writeFileSync(path, Buffer.alloc(MIB, 1));
    const time = new Date(Date.now() - hour * HOUR_MS);
    utimesSync(path, time, time);
  }
  return directory;
}

test("what has not been used for longest goes, until the rest fits", async (t) => {
  const directory = makeCache(t, [0, 2, 3, 4]);
  await pruneImages(directory, { maxBytes: 4 * MIB });
  assert.deepEqual(readdirSync(directory), ["0.erofs", "2.erofs", "3.erofs", "4.erofs"]);
  await pruneImages(directory, { maxBytes: 2 * MIB });
  assert.deepEqual(readdirSync(directory), ["0.erofs", "2.erofs"]);
  await pruneImages(directory, { maxBytes: 0 });
  assert.deepEqual(readdirSync(directory), ["0.erofs"], "one that was just used may not be open yet");
});

test("one that is used again is not old any more", async (t) => {
  const directory = makeCache(t, [2, 5]);
  assert.equal(await useImage(directory, "5.erofs"), true);
  assert.ok(Date.now() - statSync(join(directory, "5.erofs")).mtimeMs < HOUR_MS);
  await pruneImages(directory, { maxBytes: MIB });
  assert.deepEqual(readdirSync(directory), ["5.erofs"]);
  assert.equal(await useImage(directory, "2.erofs"), false);
});

test("nothing is removed while an image is taken into use", async (t) => {
  const directory = makeCache(t, [5]);
  await pruneImages(directory);
  {
    using lock = await lockFile(`${directory}.lock`, { mode: "shared" });
    assert.ok(lock);
    await pruneImages(directory, { maxBytes: 0 });
    assert.deepEqual(readdirSync(directory), ["5.erofs"]);
  }
  await pruneImages(directory, { maxBytes: 0 });
  assert.deepEqual(readdirSync(directory), []);
});

test("what a dead process left unfinished goes, what a living one packs stays", async (t) => {
  const directory = makeCache(t, []);
  // The greatest process id there can be is 2^22.
  for (const pid of [process.pid, 2 ** 22 + 1]) writeFileSync(join(directory, `.new-${pid}-0a`), "");
  writeFileSync(join(directory, "something else"), "");
  await pruneImages(directory, { maxBytes: 0 });
  assert.deepEqual(readdirSync(directory), [`.new-${process.pid}-0a`, "something else"]);
});
