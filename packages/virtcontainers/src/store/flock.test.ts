import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import { lockDescriptor, lockFile, openLockFile, takeRemovableLock, waitForHolders } from "./flock.ts";

function makeLockFile(path: string): string {
  closeSync(openLockFile(path));
  return path;
}

test("exclusive excludes, shared does not, release lets the next one in", async (t) => {
  const path = makeLockFile(join(makeTempRoot(t).base, "lock"));
  const shared = await lockFile(path, { mode: "shared" });
  const second = await lockFile(path, { mode: "shared", wait: false });
  assert.ok(shared && second);
  assert.equal(await lockFile(path, { mode: "exclusive", wait: false }), undefined);
  const waiting = lockFile(path, { mode: "exclusive" });
  shared.release();
  second.release();
  using exclusive = await waiting;
  assert.ok(exclusive);
  assert.equal(await lockFile(path, { mode: "shared", timeoutMs: 5 }), undefined);
});

test("a wait can be aborted and leaves the lock to its holder", async (t) => {
  const path = makeLockFile(join(makeTempRoot(t).base, "lock"));
  using _held = await lockFile(path, { mode: "exclusive" });
  const controller = new AbortController();
  const waiting = lockFile(path, { mode: "exclusive", signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, { code: "ERR_ABORTED" });
  await assert.rejects(lockFile(path, { mode: "exclusive", signal: controller.signal }), {
    code: "ERR_ABORTED",
  });
});

test("a lock that its holder removes is taken once, and not where there is no directory", async (t) => {
  const { base } = makeTempRoot(t);
  const path = join(base, "lock");
  const lock = await takeRemovableLock(path);
  assert.equal(await takeRemovableLock(path), undefined);
  rmSync(path);
  lock?.release();
  (await takeRemovableLock(path))?.release();
  await assert.rejects(takeRemovableLock(join(base, "nowhere", "lock")), {
    code: "ERR_STORE",
    message: /ENOENT/,
  });
});

test("a file that is removed while it is waited for cannot be locked", async (t) => {
  const path = makeLockFile(join(makeTempRoot(t).base, "lock"));
  const held = await lockFile(path, { mode: "exclusive" });
  const waiting = lockFile(path, { mode: "exclusive" });
  rmSync(path);
  held?.release();
  await assert.rejects(waiting, { code: "ENOENT" });
  await assert.rejects(lockFile(path, { mode: "exclusive" }), { code: "ENOENT" });
});

test("the lock of a process that is killed is free", async (t) => {
  const path = makeLockFile(join(makeTempRoot(t).base, "lock"));
  const holder = spawn("flock", ["-x", path, "-c", "echo held; exec sleep 1000"], {
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  await once(holder.stdout, "data");
  assert.equal(await lockFile(path, { mode: "exclusive", wait: false }), undefined);
  const waiting = lockFile(path, { mode: "exclusive" });
  process.kill(-(holder.pid ?? 0), "SIGKILL");
  using lock = await waiting;
  assert.ok(lock);
});

test("a lock lives as long as the last descriptor of its description", async (t) => {
  const path = join(makeTempRoot(t).base, "lock");
  const fd = openLockFile(path);
  const heir = spawn("sleep", ["1000"], { stdio: ["ignore", "ignore", "ignore", fd] });
  assert.equal(await lockDescriptor(fd, { mode: "exclusive" }), true);
  closeSync(fd);
  assert.equal(await lockFile(path, { mode: "shared", wait: false }), undefined);
  const waiting = lockFile(path, { mode: "shared" });
  heir.kill("SIGKILL");
  using lock = await waiting;
  assert.ok(lock);
});

test("whoever waits for holders is told when all are gone, or that they are not", async (t) => {
  const path = makeLockFile(join(makeTempRoot(t).base, "lock"));
  const holders = [await lockFile(path, { mode: "shared" }), await lockFile(path, { mode: "shared" })];
  const what = "them to end";
  await assert.rejects(waitForHolders(path, { timeoutMs: 5, what }), {
    code: "ERR_TIMEOUT",
    message: /them/,
  });
  const waiting = waitForHolders(path, { timeoutMs: 20_000, what });
  for (const holder of holders) holder?.release();
  await waiting;
  await waitForHolders(`${path}-none`, { timeoutMs: 1, what });
});
