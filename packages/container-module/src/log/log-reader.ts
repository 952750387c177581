import { LogFile, listLogFiles } from "./log-files.ts";

const BLOCK_BYTES = 65_536;
const NEWLINE = 10;

/** Reads a log from its oldest file to its newest, while its shim writes it and rotates it. */
export class LogReader implements AsyncDisposable {
  readonly #log: string;
  #file: LogFile | undefined;

  constructor(log: string) {
    this.#log = log;
  }

  /** Begins with the oldest that is kept. */
  async beginAtStart(): Promise<void> {
    const oldest = listLogFiles(this.#log).at(-1);
    if (oldest) await this.#enter(oldest);
  }

  /** Begins with the last lines; one without an end is a line, too. */
  async beginAtTail(lines: number): Promise<void> {
    let left = lines;
    // What stands behind the last byte ends no line.
    let isEnd = true;
    for (const path of listLogFiles(this.#log)) {
      if (!(await this.#enter(path)) || !this.#file) continue;
      const size = await this.#file.size();
      const found = await findTail(this.#file, size, left, isEnd);
      this.#file.position = found.position;
      left = found.left;
      if (size > 0) isEnd = false;
      if (left === 0) return;
    }
  }

  /** Gives what has come since. */
  async *readNew(): AsyncGenerator<Uint8Array> {
    if (!this.#file) await this.beginAtStart();
    while (this.#file) {
      const file: LogFile = this.#file;
      // In this order: what was written before it got another name is read after that has been seen.
      const isNewest = file.isAt(this.#log);
      for (let block = await read(file); block.length > 0; block = await read(file)) yield block;
      if (isNewest || !(await this.#enterNext(file))) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.[Symbol.asyncDispose]();
    this.#file = undefined;
  }

  /** Goes on with the file that is one newer. @returns false: it is not there yet */
  async #enterNext(file: LogFile): Promise<boolean> {
    const files = listLogFiles(this.#log);
    const own = files.findIndex((path) => file.isAt(path));
    // When ours is gone, the oldest that is left is the next.
    const next = own === -1 ? files.at(-1) : files[own - 1];
    return next === undefined ? false : this.#enter(next);
  }

  async #enter(path: string): Promise<boolean> {
    const file = await LogFile.open(path);
    if (!file) return false;
    await this.#file?.[Symbol.asyncDispose]();
    this.#file = file;
    return true;
  }
}

async function read(file: LogFile): Promise<Buffer> {
  const block = await file.readAt(file.position, BLOCK_BYTES);
  file.position += block.length;
  return block;
}

/** Finds where the last lines of a file begin. @returns how many are still to be found in older files */
async function findTail(
  file: LogFile,
  size: number,
  lines: number,
  isEnd: boolean,
): Promise<{ position: number; left: number }> {
  if (lines === 0) return { position: size, left: 0 };
  let left = lines;
  for (let end = isEnd ? Math.max(0, size - 1) : size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const block = await file.readAt(start, end - start);
    for (
      let at = block.lastIndexOf(NEWLINE);
      at >= 0;
      at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)
    ) {
      left--;
      if (left === 0) return { position: start + at + 1, left };
    }
    end = start;
  }
  return { position: 0, left };
}
