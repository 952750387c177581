import { statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemCode } from "@husk/virtcontainers/internals";
import { readNames } from "../state/claim.ts";

/** The files of a log, the newest first: `LOG`, and those that it has been rotated into, `LOG.1` and so on. */
export function listLogFiles(log: string): string[] {
  const [directory, own] = [dirname(log), basename(log)];
  const numbers = readNames(directory)
    .filter((name) => name.startsWith(`${own}.`))
    .map((name) => name.slice(own.length + 1))
    .filter((number) => /^[1-9]\d*$/.test(number))
    .map(Number)
    .sort((one, other) => one - other);
  return [log, ...numbers.map((number) => join(directory, `${own}.${number}`))];
}

/** A file of a log that is open. It keeps its contents, whatever its name becomes. */
export class LogFile implements AsyncDisposable {
  /** where reading goes on */
  position = 0;
  readonly #handle: FileHandle;
  readonly #inode: number;

  private constructor(handle: FileHandle, inode: number) {
    this.#handle = handle;
    this.#inode = inode;
  }

  /** Opens a file; undefined: there is none. */
  static async open(path: string): Promise<LogFile | undefined> {
    try {
      const handle = await open(path, "r");
      return new LogFile(handle, (await handle.stat()).ino);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Bytes that it has now. */
  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** Whether it is what has that name now. */
  isAt(path: string): boolean {
    return statSync(path, { throwIfNoEntry: false })?.ino === this.#inode;
  }

  /** Reads bytes from a place; fewer at the end. */
  async readAt(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    const { bytesRead } = await this.#handle.read(buffer, 0, length, position);
    return buffer.subarray(0, bytesRead);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close();
  }
}
