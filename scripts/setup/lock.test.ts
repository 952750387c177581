import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, test } from "node:test";
import { withLock } from "./lock.mjs";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "husk-lock-"));
  path = join(folder, "deep/lock");
});

afterEach(() => rm(folder, { recursive: true }));

/** Asks another process whether the lock can be had right now. */
function isFree(): boolean {
  return spawnSync("flock", ["--nonblock", path, "true"]).status === 0;
}

/** Starts another process that does `work` under the lock. */
function startHolder(work: string) {
  const module = JSON.stringify(new URL("lock.mjs", import.meta.url).href);
  const source = `
    import { withLock } from ${module};
    await withLock(${JSON.stringify(path)}, async (lock) => { ${work} });`;
  const args = ["--input-type=module", "--eval", source];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const [, stdout, stderr, extra] = child.stdio;
  return { child, stdout: stdout as Readable, stderr: stderr as Readable, extra: extra as Writable };
}

test("the lock is held during the work and free after it, also when the work fails", async () => {
  await withLock(path, async () => assert.equal(isFree(), false));
  assert.equal(isFree(), true);
  await assert.rejects(
    withLock(path, async () => {
      throw new Error("the work failed");
    }),
    /the work failed/,
  );
  assert.equal(isFree(), true);
});

test("the second says that it waits, and works when the first is done", async () => {
  const { promise: secondGone, resolve: noteGone } = Promise.withResolvers<string>();
  await withLock(path, async () => {
    const second = startHolder("process.stdout.write('worked');");
    let worked = "";
    second.stdout.on("data", (chunk) => {
      worked += chunk;
    });
    second.child.once("close", () => noteGone(worked));
    const [said] = await once(second.stderr, "data");
    assert.match(String(said), /waiting for another set-up/);
    assert.equal(worked, "");
  });
  assert.equal(await secondGone, "worked");
});

test("a holder that is killed leaves no lock behind", async () => {
  const holder = startHolder(
    "process.stdout.write('held'); await new Promise(() => setInterval(() => {}, 1e6));",
  );
  await once(holder.stdout, "data");
  assert.equal(isFree(), false);
  holder.child.kill("SIGKILL");
  await once(holder.child, "exit");
  assert.equal(isFree(), true);
});

test("a child that inherits the lock keeps it beyond its parent's death", async () => {
  const holder = startHolder(
    `(await import("node:child_process")).spawn("sh", ["-c", "echo started; read line"], {
       stdio: [3, "inherit", "inherit", lock] }); await new Promise(() => setInterval(() => {}, 1e6));`,
  );
  await once(holder.stdout, "data");
  holder.child.kill("SIGKILL");
  await once(holder.child, "exit");
  assert.equal(isFree(), false);
  // Node closes a dead child's standard input by itself, so the grandchild waits on another pipe.
  holder.extra.end();
  // Its output closes when the child, the last to hold it, has ended.
  await once(holder.child, "close");
  assert.equal(isFree(), true);
});
