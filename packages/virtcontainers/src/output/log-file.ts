import { type FileHandle, open } from "node:fs/promises";
import { systemCode } from "../errors/index.ts";
import type { LogEntry } from "../types/index.ts";
import { parseLogLine } from "./parse-log-line.ts";

/** Longest line that is taken for an entry: 16 KiB of control characters, each of six characters in JSON, and more. */
const MAX_LINE_BYTES = 128 * 1024;
/** What is read at a time; a line of the greatest length fits. */
const BLOCK_BYTES = 2 * MAX_LINE_BYTES;
const NEWLINE = 10;

/** An entry, and where what follows it begins in its file. */
export interface PlacedEntry {
  readonly entry: LogEntry;
  readonly next: number;
}

/**
 * A file of a log that is open. A log's writer only appends whole lines, cuts off a torn one at the end, and moves the file away
 * as a whole: what is read is never read again, and what is open stays readable.
 */
export class LogFile {
  /** tells it apart from the other files of the log, as long as it is open */
  readonly inode: number;
  /** where reading goes on: the beginning of a line */
  position = 0;
  /** lines that were no entries */
  badLines = 0;
  readonly #handle: FileHandle;
  /** the line at the position is too long: what comes up to its end is not looked at */
  #isInLongLine = false;

  private constructor(handle: FileHandle, inode: number) {
    this.#handle = handle;
    this.inode = inode;
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

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** Gives the entries from the position on, a block of them at a time, up to the last whole line. */
  async *read(): AsyncGenerator<LogEntry[]> {
    for (;;) {
      const block = await this.#readAt(this.position, BLOCK_BYTES);
      const end = block.lastIndexOf(NEWLINE) + 1;
      if (end === 0 && block.length < BLOCK_BYTES) return;
      if (end === 0) this.#isInLongLine = true;
      this.position += end || block.length;
      yield this.#parse(block.subarray(0, end));
    }
  }

  /** Gives the entries from the last to the first. */
  async *readBackwards(): AsyncGenerator<PlacedEntry> {
    let { size: end } = await this.#handle.stat();
    // The part of a line whose beginning lies before `end`.
    let rest: Uint8Array = Buffer.alloc(0);
    while (end > 0) {
      const start = Math.max(0, end - BLOCK_BYTES);
      const block = Buffer.concat([await this.#readAt(start, end - start), rest]);
      const cut = start === 0 ? 0 : block.indexOf(NEWLINE) + 1;
      yield* placeEntries(block.subarray(cut), start + cut);
      rest = block.subarray(0, Math.min(cut, MAX_LINE_BYTES));
      end = start;
    }
  }

  /** Counts what stands behind the last whole line as a bad one: nobody is going to complete it. */
  async expectEnd(): Promise<void> {
    if ((await this.#handle.stat()).size > this.position) this.badLines++;
  }

  async #readAt(position: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(bytes);
    const { bytesRead } = await this.#handle.read(buffer, 0, bytes, position);
    return buffer.subarray(0, bytesRead);
  }

  #parse(lines: Buffer): LogEntry[] {
    const texts = lines.toString().split("\n").slice(0, -1);
    if (this.#isInLongLine && texts.length > 0) {
      this.#isInLongLine = false;
      this.badLines++;
      texts.shift();
    }
    const entries = texts.map(parseLogLine).filter((entry) => entry !== undefined);
    this.badLines += texts.length - entries.length;
    return entries;
  }
}

/** The entries in whole lines, the last first. */
function* placeEntries(lines: Buffer, position: number): Generator<PlacedEntry> {
  let end = lines.lastIndexOf(NEWLINE);
  while (end >= 0) {
    const start = end === 0 ? 0 : lines.lastIndexOf(NEWLINE, end - 1) + 1;
    const entry = parseLogLine(lines.toString("utf8", start, end));
    if (entry) yield { entry, next: position + end + 1 };
    end = start - 1;
  }
}
