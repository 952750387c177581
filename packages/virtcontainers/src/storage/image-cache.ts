import { readdirSync, rmSync, type Stats, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../errors/index.ts";
import { FileLock, lockDescriptor, openLockFile } from "../store/flock.ts";
import { identifyProcess } from "../store/process-identity.ts";

/** Bytes that the images of directories may take together. */
const MAX_BYTES = 8 * 1024 ** 3;
/** Milliseconds after its last use in which an image is not removed: it may not be open in its VM yet. */
const MIN_AGE_MS = 3_600_000;

const IMAGE_NAME = /^[0-9a-f]+\.erofs$/;
const UNFINISHED_NAME = /^\.new-(\d+)-[0-9a-f]+$/;

/** How much is kept; tests keep less. */
export interface CacheLimits {
  readonly maxBytes: number;
}

/**
 * Takes an image out of the cache: notes that it is used now, so that it is among the last to be removed.
 * @returns whether it is there
 */
export async function useImage(directory: string, name: string): Promise<boolean> {
  const path = join(directory, name);
  try {
    // Long before it might be removed, nobody can be about to do so, and no lock is needed.
    if (Date.now() - statSync(path).mtimeMs < MIN_AGE_MS / 2) return true;
    using lock = new FileLock(openLockFile(lockPath(directory)));
    await lockDescriptor(lock.fd, { mode: "shared" });
    utimesSync(path, new Date(), new Date());
    return true;
  } catch (error) {
    // In a cache that belongs to somebody else, it can be used all the same.
    return systemCode(error) !== "ENOENT";
  }
}

/**
 * Removes the images that have not been used for longest, until the others fit into the limit, and what dead processes
 * left unfinished. VMs do not lose theirs: they have them open; and a pod that is started again packs anew.
 */
export async function pruneImages(
  directory: string,
  limits: CacheLimits = { maxBytes: MAX_BYTES },
): Promise<void> {
  using lock = new FileLock(openLockFile(lockPath(directory)));
  // Another process that holds it prunes just now.
  if (!(await lockDescriptor(lock.fd, { mode: "exclusive", wait: false }))) return;
  const names = readdirSync(directory);
  for (const name of names) {
    const [, pid] = UNFINISHED_NAME.exec(name) ?? [];
    if (pid && !identifyProcess(Number(pid))) rmSync(join(directory, name), { force: true });
  }
  const images = names
    .filter((name) => IMAGE_NAME.test(name))
    .map((name) => ({ path: join(directory, name), stats: statSync(join(directory, name)) }))
    .sort((one, other) => one.stats.mtimeMs - other.stats.mtimeMs);
  let total = images.reduce((sum, { stats }) => sum + sizeOnDisk(stats), 0);
  for (const { path, stats } of images) {
    if (total <= limits.maxBytes || Date.now() - stats.mtimeMs < MIN_AGE_MS) return;
    rmSync(path, { force: true });
    total -= sizeOnDisk(stats);
  }
}

/** Beside the images, so that it is none of them. */
function lockPath(directory: string): string {
  return `${directory}.lock`;
}

function sizeOnDisk({ blocks }: Stats): number {
  return blocks * 512;
}
