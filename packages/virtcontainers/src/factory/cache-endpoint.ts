import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { HuskError, messageOf } from "../errors/index.ts";
import { type FileLock, type HolderLimits, takeRemovableLock, waitForHolders } from "../store/flock.ts";
import { storeError } from "../store/staging.ts";

/** Bits of a mode by which others than the owner can do anything. */
const OTHERS = 0o077;

/** The path of a cache's socket, while it is ours. */
export class CacheEndpoint {
  readonly path: string;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the path ours, by a lock beside it. A socket that a dead server has left goes.
   * @throws HuskError ERR_CACHE_IN_USE, ERR_STORE (a directory that others can use, or that cannot be made; a path with something
   *   else than a socket)
   */
  static async claim(path: string): Promise<CacheEndpoint> {
    checkDirectory(dirname(path));
    checkSocket(path);
    const lock = await takeRemovableLock(lockOf(path));
    if (!lock) throw new HuskError("ERR_CACHE_IN_USE", `another process keeps VMs ready at ${path}`);
    rmSync(path, { force: true });
    return new CacheEndpoint(path, lock);
  }

  /** Waits until nobody serves VMs at a path. @throws HuskError ERR_TIMEOUT, ERR_ABORTED, ERR_STORE */
  static async waitUntilFree(path: string, limits: Omit<HolderLimits, "what">): Promise<void> {
    try {
      await waitForHolders(lockOf(path), { ...limits, what: `the cache at ${path} to end` });
    } catch (error) {
      if (error instanceof HuskError) throw error;
      throw storeError(`whether the cache at ${path} has ended cannot be seen`, error);
    }
  }

  /**
   * Lets it go. The lock's file goes before the lock: who has it open finds that out.
   * @throws HuskError ERR_STORE when they cannot be removed
   */
  release(): void {
    try {
      rmSync(this.path, { force: true });
      rmSync(lockOf(this.path), { force: true });
    } catch (error) {
      throw storeError(`${this.path} cannot be removed`, error);
    } finally {
      this.#lock.release();
    }
  }
}

function lockOf(path: string): string {
  return `${path}.lock`;
}

/** What is no socket is somebody's file, or a directory, that a path was mistaken for. */
function checkSocket(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found || found.isSocket()) return;
  const hint = "Name a path where nothing is yet.";
  throw new HuskError("ERR_STORE", `cannot serve VMs at ${path}: something is there that is no socket`, {
    hint,
  });
}

/** Whoever could put another socket there could hand out VMs of his own. */
function checkDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const { mode, uid } = lstatSync(path);
    if (uid === process.geteuid?.() && (mode & OTHERS) === 0) return;
  } catch (error) {
    throw new HuskError("ERR_STORE", `cannot serve VMs in ${path}: ${messageOf(error)}`, { cause: error });
  }
  const hint = "Name a socket in a directory of your own (mode 700).";
  throw new HuskError("ERR_STORE", `cannot serve VMs in ${path}: others can use that directory`, { hint });
}
