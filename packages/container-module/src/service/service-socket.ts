import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import type { Server } from "node:net";
import { dirname, resolve } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { type FileLock, messageOf, takeRemovableLock } from "@husk/virtcontainers/internals";

/** Longest path of a socket in bytes, without the NUL behind it. */
const MAX_PATH_BYTES = 107;
const UNFINISHED = ".new";
/** Permissions to write, of others than the owner. */
const WRITABLE_BY_OTHERS = 0o022;

/** A unix socket that one process at a time serves: what a dead one has left is replaced. */
export class ServiceSocket implements Disposable {
  readonly path: string;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Takes the place of a socket. Its directory is made if need be, 0700.
   * @throws HuskError ERR_MODULE_SERVED when another process serves there, ERR_STORE, ERR_CONFIG_INVALID, ERR_LOCK
   */
  static async claim(socket: string): Promise<ServiceSocket> {
    const path = resolve(socket);
    const bytes = Buffer.byteLength(path + UNFINISHED);
    if (bytes > MAX_PATH_BYTES) {
      const problem = `the socket ${path} has ${bytes - MAX_PATH_BYTES} bytes too many`;
      throw new HuskError("ERR_CONFIG_INVALID", problem, { hint: "Choose a shorter path." });
    }
    makeDirectory(dirname(path));
    const lock = await takeRemovableLock(`${path}.lock`);
    if (lock) return new ServiceSocket(path, lock);
    throw new HuskError("ERR_MODULE_SERVED", `another process serves ${path}`);
  }

  /**
   * Lets a server listen. The socket has its name only when it may be connected to, and by nobody but its owner.
   * @throws HuskError ERR_STORE
   */
  async listen(server: Server): Promise<void> {
    const unfinished = this.path + UNFINISHED;
    try {
      rmSync(unfinished, { force: true });
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(unfinished, resolve);
      });
      chmodSync(unfinished, 0o600);
      renameSync(unfinished, this.path);
    } catch (cause) {
      throw new HuskError("ERR_STORE", `the socket ${this.path} cannot be made: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  /** Removes the socket, and lets others have its place. */
  [Symbol.dispose](): void {
    rmSync(this.path, { force: true });
    rmSync(`${this.path}.lock`, { force: true });
    this.#lock.release();
  }
}

/** Whoever can write to the directory could put a socket of theirs there. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const { mode, uid } = statSync(path);
    const isSafe = (mode & WRITABLE_BY_OTHERS) === 0 && (uid === 0 || uid === process.geteuid?.());
    if (isSafe) return;
  } catch (cause) {
    throw new HuskError("ERR_STORE", `${path} cannot be made: ${messageOf(cause)}`, { cause });
  }
  throw new HuskError("ERR_STORE", `others may write to ${path}, and so have a socket there`, {
    hint: "Choose a directory of your own; one that is not there is made.",
  });
}
