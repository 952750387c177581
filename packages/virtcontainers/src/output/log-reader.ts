import { stat } from "node:fs/promises";
import { systemCode } from "../errors/index.ts";
import type { LogEntry, LogStream } from "../types/index.ts";
import type { LogFile } from "./log-file.ts";
import { openLogFiles } from "./open-log-files.ts";
import { endsLine } from "./parse-log-line.ts";

/** Reads a log across its files, each entry once, in order. */
export class LogReader implements AsyncDisposable {
  readonly #path: string;
  /** the file that is being read, and those after it as far as they are known */
  #files: LogFile[] = [];
  #badLines = 0;
  #lostFiles = 0;

  private constructor(path: string) {
    this.#path = path;
  }

  static async open(path: string): Promise<LogReader> {
    const reader = new LogReader(path);
    reader.#files = await openLogFiles(path);
    return reader;
  }

  /** lines so far that were no entries */
  get badLines(): number {
    return this.#badLines + this.#files.reduce((sum, { badLines }) => sum + badLines, 0);
  }

  /** times that files were moved away and removed before they could be read */
  get lostFiles(): number {
    return this.#lostFiles;
  }

  /** Goes to the last so many lines of some streams; a piece of a line at a stream's end counts as one. To be called before reading. */
  async skipToTail(lines: number, streams: readonly LogStream[]): Promise<void> {
    let left = lines;
    const seen = new Set<LogStream>();
    for (const [index, file] of [...this.#files.entries()].reverse()) {
      for await (const { entry, next } of file.readBackwards()) {
        const { stream } = entry;
        if (!streams.includes(stream)) continue;
        if ((endsLine(entry) || !seen.has(stream)) && left-- === 0) {
          file.position = next;
          await this.#dropFirst(index);
          return;
        }
        seen.add(stream);
      }
    }
  }

  /** Gives the entries of the files that were there when reading began, in blocks. */
  async *readKept(): AsyncGenerator<LogEntry[]> {
    for (const file of this.#files) {
      yield* file.read();
      await file.expectEnd();
    }
  }

  /** Gives the entries that are there and were not given, in blocks. */
  async *readNew(): AsyncGenerator<LogEntry[]> {
    for (;;) {
      const [file] = this.#files;
      if (file) yield* file.read();
      if (this.#files.length > 1) {
        await file?.expectEnd();
        await this.#dropFirst(1);
      } else if (file && !(await this.#isMoved(file))) {
        return;
      } else {
        // What was written before it was moved, and we came too early for.
        if (file) yield* file.read();
        if (!(await this.#findNewer())) return;
      }
    }
  }

  /** Nothing is going to be written any more. */
  async expectEnd(): Promise<void> {
    await this.#files[0]?.expectEnd();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dropFirst(this.#files.length);
  }

  async #isMoved({ inode }: LogFile): Promise<boolean> {
    try {
      return (await stat(this.#path)).ino !== inode;
    } catch (error) {
      // Between two files, or with its pod, it is away.
      if (systemCode(error) === "ENOENT") return true;
      throw error;
    }
  }

  /** Finds the files that came after the one that is being read. @returns whether there are any */
  async #findNewer(): Promise<boolean> {
    const [current] = this.#files;
    const files = await openLogFiles(this.#path);
    const place = files.findIndex(({ inode }) => inode === current?.inode);
    const newer = files.slice(place + 1);
    for (const file of files.slice(0, place + 1)) await file.close();
    if (current && place < 0 && newer.length > 0) this.#lostFiles++;
    this.#files.push(...newer);
    return newer.length > 0;
  }

  async #dropFirst(count: number): Promise<void> {
    for (const file of this.#files.splice(0, count)) {
      this.#badLines += file.badLines;
      await file.close();
    }
  }
}
