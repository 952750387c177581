import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { HuskError, messageOf } from "../errors/index.ts";
import { FileLock, lockDescriptor, openLockFile } from "../store/flock.ts";

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
   * @throws HuskError ERR_CACHE_IN_USE, ERR_STORE (a directory that others can use, or that cannot be made)
   */
  static async claim(path: string): Promise<CacheEndpoint> {
    checkDirectory(dirname(path));
    const lock = new FileLock(openLockFile(`${path}.lock`));
    try {
      if (!(await lockDescriptor(lock.fd, { mode: "exclusive", wait: false }))) {
        const text = `another process keeps VMs ready at ${path}`;
        throw new HuskError("ERR_CACHE_IN_USE", text);
      }
      rmSync(path, { force: true });
      return new CacheEndpoint(path, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Lets it go; the lock's file stays, as another may just be waiting for it. */
  release(): void {
    rmSync(this.path, { force: true });
    this.#lock.release();
  }
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
