import { closeSync, existsSync, readdirSync, utimesSync } from "node:fs";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileLock, lockFile, openLockFile, systemCode } from "@husk/virtcontainers/internals";
import type { UnpackOptions } from "../flist/unpack/progress.ts";
import { removeTree } from "../flist/unpack/remove-tree.ts";
import { makeCacheDirectories } from "./cache-directories.ts";
import { openSource } from "./open-source.ts";
import { isRootPinned, removePins } from "./root-pins.ts";
import type { PackedSource, SourceOptions } from "./root-source.ts";
import { unpackAside } from "./unpack-to.ts";

/** Bytes that unpacked roots may have together; those in use count, and stay. */
const MAX_BYTES = 32 * 1024 ** 3;
const NAME = /^(flist|oci)-[0-9a-z-]+$/;
const UNFINISHED = ".new-";
const MAKING = ".making";

/** A root file system on this machine, to be read only: others may use it, too. */
export interface SharedRoot extends Disposable {
  readonly path: string;
  /** hash of what it was made of; missing: it is a directory that was there */
  readonly fingerprint: string | undefined;
  /** open file that keeps it from being removed as long as anybody has it open; missing for a directory that was there */
  readonly lockFd: number | undefined;
}

/** What sharing a root takes. */
export interface ShareOptions extends SourceOptions, Pick<UnpackOptions, "onProgress"> {
  /** bytes that unpacked roots may have together */
  readonly maxCacheBytes?: number | undefined;
}

/**
 * Gives the root file system of a reference. What is packed is unpacked once for each content, however many ask at the same
 * time; a process that is killed meanwhile leaves nothing that another takes for whole.
 * @throws HuskError of `openSource` and `PackedSource.unpack`; ERR_LOCK
 */
export async function shareRoot(reference: string, options: ShareOptions = {}): Promise<SharedRoot> {
  using source = await openSource(reference, options);
  if (source.kind === "directory") {
    return { path: source.path, fingerprint: undefined, lockFd: undefined, [Symbol.dispose]() {} };
  }
  const { roots } = makeCacheDirectories(options.cacheDirectory);
  const name = `${source.kind}-${source.fingerprint}`;
  const lock =
    (await lockPresent(roots, name, options)) ?? (await unpackLocked(roots, name, source, options));
  await pruneRoots(roots, options.maxCacheBytes ?? MAX_BYTES);
  return {
    path: join(roots, name),
    fingerprint: source.fingerprint,
    lockFd: lock.fd,
    [Symbol.dispose]: () => lock.release(),
  };
}

/** Locks a root against being removed, if it is there. */
async function lockPresent(
  roots: string,
  name: string,
  { signal }: ShareOptions,
): Promise<FileLock | undefined> {
  if (!existsSync(join(roots, name))) return undefined;
  const lock = await lockRoot(lockPath(roots, name), { mode: "shared", signal });
  // It may have been removed while we waited.
  if (lock && existsSync(join(roots, name))) {
    utimesSync(lockPath(roots, name), new Date(), new Date());
    return lock;
  }
  lock?.release();
  return undefined;
}

/**
 * Unpacks a root that is not there. Whoever else wants it waits until it is made, and not for those who use it: that is
 * what the second lock is for.
 */
async function unpackLocked(
  roots: string,
  name: string,
  source: PackedSource,
  options: ShareOptions,
): Promise<FileLock> {
  for (;;) {
    using making = await lockRoot(makingPath(roots, name), { mode: "exclusive", signal: options.signal });
    if (making && !existsSync(join(roots, name))) {
      // With the lock held, what is unfinished belongs to somebody who is dead.
      const temporary = join(roots, `${UNFINISHED}${name}`);
      await removeTree(temporary);
      const { bytes } = await unpackAside(source, temporary, join(roots, name), options);
      await writeFile(sizePath(roots, name), String(bytes));
    }
    const shared = await lockPresent(roots, name, options);
    if (shared) return shared;
  }
}

/**
 * Removes the roots that have not been used for longest and are in nobody's use, until the rest fits; and what dead
 * processes left unfinished.
 */
async function pruneRoots(roots: string, maxBytes: number): Promise<void> {
  const names = readdirSync(roots);
  for (const name of names) {
    if (name.startsWith(UNFINISHED)) await removeUnused(roots, name.slice(UNFINISHED.length), "unfinished");
    else if (name.endsWith(MAKING)) await removeUnused(roots, name.slice(0, -MAKING.length), "unfinished");
  }
  const present: { name: string; bytes: number; usedAt: number }[] = [];
  for (const name of names.filter((one) => NAME.test(one))) {
    const stats = await stat(lockPath(roots, name)).catch(() => undefined);
    const bytes = Number(await readFile(sizePath(roots, name), "utf8").catch(() => "0"));
    present.push({ name, bytes, usedAt: stats?.mtimeMs ?? 0 });
  }
  let total = present.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { name, bytes } of present.sort((one, other) => one.usedAt - other.usedAt)) {
    if (total <= maxBytes) return;
    if (await removeUnused(roots, name, "all")) total -= bytes;
  }
}

/** Removes what nobody uses or makes: a root, or only what was left of making it. @returns whether that is gone */
async function removeUnused(roots: string, name: string, what: "all" | "unfinished"): Promise<boolean> {
  if (!NAME.test(name)) return false;
  using making = await lockRoot(makingPath(roots, name), { mode: "exclusive", wait: false });
  if (!making) return false;
  using use = await lockRoot(lockPath(roots, name), { mode: "exclusive", wait: false });
  if (!use || (what === "all" && isRootPinned(join(roots, name)))) return false;
  const unfinished = join(roots, `${UNFINISHED}${name}`);
  await removeTree(unfinished);
  // First it loses its name, so that half of it is never taken for a root.
  if (what === "all") {
    await rename(join(roots, name), unfinished);
    await removeTree(unfinished);
  }
  if (!existsSync(join(roots, name))) {
    removePins(join(roots, name));
    for (const path of [sizePath, makingPath, lockPath]) await rm(path(roots, name), { force: true });
  }
  return true;
}

/** Locks a file of a root, which is made anew when it is removed meanwhile. */
async function lockRoot(
  path: string,
  options: Parameters<typeof lockFile>[1],
): Promise<FileLock | undefined> {
  for (;;) {
    closeSync(openLockFile(path));
    try {
      return await lockFile(path, options);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
  }
}

/** Locked shared by those who use a root, exclusively by who removes it. */
function lockPath(roots: string, name: string): string {
  return join(roots, `${name}.lock`);
}

/** Locked by who makes a root, or removes it. */
function makingPath(roots: string, name: string): string {
  return join(roots, `${name}${MAKING}`);
}

function sizePath(roots: string, name: string): string {
  return join(roots, `${name}.size`);
}
