/** The files of a log: one that is written, and older ones that it was. */

import * as sys from "tiny:sys";
import { Errno, errorText, hasErrno, isSystemError, O_APPEND, O_CLOEXEC, O_CREAT, O_RDWR } from "@husk/tiny";
import { findPositions, wholeLinesBytes } from "./log-position.ts";
import type { OutputPositions } from "./process-link.ts";
import type { LogOptions } from "./shim-options.ts";

/** See the head of the file. Whole lines are in it, or nothing: who reads needs no lock. */
export class LogFiles {
  readonly #options: LogOptions;
  /** undefined after a change of files that was not ended */
  #fd: number | undefined;
  /** bytes of the file that is written */
  #size = 0;

  /** Opens the file, and cuts off a line that was torn. @throws SystemError when it cannot */
  constructor(options: LogOptions) {
    this.#options = options;
    this.#open();
  }

  /** What the files have of each output. */
  findPositions(): OutputPositions {
    const { path, maxFiles } = this.#options;
    return findPositions(Array.from({ length: maxFiles }, (_, age) => nameOf(path, age)));
  }

  /**
   * Appends whole lines, the first of which is an object. Gives why it could not; nothing of them is there then.
   *
   * @param positions what came before them; told in a new file, as older ones go away
   * @param tells they are to be told in any case
   */
  append(lines: Uint8Array, positions: OutputPositions, tells: boolean): string | undefined {
    try {
      if (this.#size > 0 && this.#size + lines.length > this.#options.maxBytes) this.#change();
      const fd = this.#fd ?? this.#open();
      const isFirst = this.#size === 0 && positions.stdout + positions.stderr > 0;
      this.#write(fd, isFirst || tells ? withPositions(lines, positions) : lines);
      return undefined;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return errorText(error);
    }
  }

  #write(fd: number, bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += sys.write(fd, bytes, at, bytes.length - at);
      this.#size += bytes.length;
    } catch (error) {
      sys.ftruncate(fd, this.#size);
      throw error;
    }
  }

  #open(): number {
    const fd = sys.open(this.#options.path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0o600);
    const size = wholeLinesBytes(fd);
    if (size < sys.fstat(fd).size) sys.ftruncate(fd, size);
    this.#fd = fd;
    this.#size = size;
    return fd;
  }

  /** Begins a new file: each one that there is becomes the next older, the oldest goes. */
  #change(): void {
    const { path, maxFiles } = this.#options;
    if (this.#fd !== undefined) sys.close(this.#fd);
    // When this does not come to its end, the next try is not to move the files on once more.
    this.#fd = undefined;
    this.#size = 0;
    if (maxFiles === 1) ifThere(() => sys.unlink(path));
    for (let age = maxFiles - 2; age >= 0; age--)
      ifThere(() => sys.rename(nameOf(path, age), nameOf(path, age + 1)));
    this.#open();
  }
}

function nameOf(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}

function ifThere(task: () => void): void {
  try {
    task();
  } catch (error) {
    if (!hasErrno(error, Errno.ENOENT)) throw error;
  }
}

/** The lines with the positions as the first key of their first object. */
function withPositions(lines: Uint8Array, positions: OutputPositions): Uint8Array {
  const start = sys.encodeUtf8(`{"positions":${JSON.stringify(positions)},`);
  const bytes = new Uint8Array(start.length + lines.length - 1);
  bytes.set(start);
  bytes.set(lines.subarray(1), start.length);
  return bytes;
}
