import { randomBytes } from "node:crypto";
import { constants, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemCode } from "@husk/virtcontainers/internals";
import { MAX_SEALED_BYTES } from "../blocks/block-codec.ts";
import { type BlockStore, blockPaths } from "./block-store.ts";

/** A directory with a file for each block. */
export class DirStore implements BlockStore {
  readonly address: string;
  readonly #directory: string;
  readonly #made = new Map<string, Promise<unknown>>();

  constructor(directory: string, address: string) {
    this.#directory = directory;
    this.address = address;
  }

  /** Where a block is when it is there. */
  pathOf(id: Uint8Array): string {
    return join(this.#directory, blockPaths(id)[0]);
  }

  async get(id: Uint8Array): Promise<Uint8Array | undefined> {
    for (const path of blockPaths(id)) {
      const bytes = await readBlockFile(join(this.#directory, path));
      if (bytes) return bytes;
    }
    return undefined;
  }

  /** A block is whole when it has its name; it is written anew only when it is not there. */
  async put(id: Uint8Array, sealed: Uint8Array): Promise<void> {
    const path = this.pathOf(id);
    if ((await sizeOf(path)) === sealed.length) return;
    await this.#makeFolder(dirname(path));
    const temporary = `${path}.${process.pid}-${randomBytes(4).toString("hex")}.new`;
    try {
      const file = await open(temporary, "wx", 0o644);
      try {
        await file.writeFile(sealed);
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  close(): void {}

  #makeFolder(path: string): Promise<unknown> {
    const made = this.#made.get(path) ?? mkdir(path, { recursive: true });
    this.#made.set(path, made);
    return made;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function readBlockFile(path: string): Promise<Uint8Array | undefined> {
  try {
    // A fifo in its place must not hold us.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw new Error(`${path} is no file`);
      if (stats.size > MAX_SEALED_BYTES) throw new Error(`${path} has ${stats.size} bytes`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
