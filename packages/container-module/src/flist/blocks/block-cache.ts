import { mkdirSync } from "node:fs";
import { readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { FileLock, lockDescriptor, openLockFile } from "@husk/virtcontainers/internals";
import { DirStore } from "../stores/dir-store.ts";
import { isBlock } from "./block-codec.ts";

/** Bytes that the cache may take. */
const MAX_BYTES = 4 * 1024 ** 3;
/** Milliseconds after which the use of a block is noted again. */
const NOTE_AGE_MS = 3_600_000;
const BLOCK_NAME = /^[0-9a-f]{64}$/;
/** What a writer that was killed left; nobody writes one block for that long. */
const UNFINISHED_NAME = /\.new$/;
const UNFINISHED_AGE_MS = 3_600_000;

/** Blocks kept on this machine as they came from their stores, by their ids: a store of its own. */
export class BlockCache {
  readonly #directory: string;
  readonly #store: DirStore;

  /** @param directory is made if it is not there */
  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#directory = directory;
    this.#store = new DirStore(directory, `dir://${directory}`);
  }

  /** Gives a block; one that has been damaged is removed, and not there. */
  async get(id: Uint8Array): Promise<Uint8Array | undefined> {
    const sealed = await this.#store.get(id).catch(() => undefined);
    if (!sealed) return undefined;
    const path = this.#store.pathOf(id);
    if (!(await isBlock(id, sealed))) {
      await rm(path, { force: true });
      return undefined;
    }
    await noteUse(path);
    return sealed;
  }

  /** Keeps a block whose id has been checked. A full disk is no reason not to go on without. */
  async put(id: Uint8Array, sealed: Uint8Array): Promise<void> {
    await this.#store.put(id, sealed).catch(() => {});
  }

  /** Removes what has not been used for longest until the rest fits, and what killed writers left. */
  async prune(maxBytes = MAX_BYTES): Promise<void> {
    using lock = new FileLock(openLockFile(`${this.#directory}.lock`));
    // Another process that holds it prunes just now.
    if (!(await lockDescriptor(lock.fd, { mode: "exclusive", wait: false }))) return;
    const files = await this.#list();
    let total = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files.sort((one, other) => one.usedAt - other.usedAt)) {
      if (total <= maxBytes) return;
      await rm(path, { force: true });
      total -= size;
    }
  }

  async #list(): Promise<{ path: string; size: number; usedAt: number }[]> {
    const files: { path: string; size: number; usedAt: number }[] = [];
    for (const folder of await readdir(this.#directory)) {
      for (const name of await readdir(join(this.#directory, folder))) {
        const path = join(this.#directory, folder, name);
        const stats = await stat(path).catch(() => undefined);
        if (!stats) continue;
        if (BLOCK_NAME.test(name)) files.push({ path, size: stats.size, usedAt: stats.mtimeMs });
        else if (UNFINISHED_NAME.test(name) && Date.now() - stats.mtimeMs > UNFINISHED_AGE_MS) {
          await rm(path, { force: true });
        }
      }
    }
    return files;
  }
}

/** Notes that a block has been used now, unless that was noted lately. */
async function noteUse(path: string): Promise<void> {
  const now = new Date();
  const stats = await stat(path).catch(() => undefined);
  if (stats && now.getTime() - stats.mtimeMs > NOTE_AGE_MS) await utimes(path, now, now).catch(() => {});
}
