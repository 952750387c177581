import * as sys from "tiny:sys";
import { isSystemError, O_RDONLY, O_RDWR, withFile } from "@husk/tiny";
import { parseObject } from "../core/parse-object.ts";
import { boundText } from "./bound-text.ts";

/** Bytes at the end of a log among which the last error is looked for. */
const TAIL_BYTES = 32 * 1024;
/** Size from which on a log is begun anew, in bytes. */
const LARGE_BYTES = 1024 * 1024;

/** The file in which a runtime's commands write what went wrong: JSON lines with `level` and `msg`, as runc's and crun's. */
export class RuntimeLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Where the next command's lines will begin. A log that has grown large is emptied. */
  mark(): number {
    const size = this.#size();
    if (size < LARGE_BYTES) return size;
    this.empty();
    return 0;
  }

  /** Forgets all lines. */
  empty(): void {
    try {
      withFile(this.#path, O_RDWR, 0, (fd) => sys.ftruncate(fd, 0));
    } catch (error) {
      // It is for texts of errors only: no container ends for it.
      if (!isSystemError(error)) throw error;
    }
  }

  /** Text of the last error behind a mark, if there is any. */
  lastErrorSince(mark: number): string | undefined {
    const lines = this.#tail(mark).split("\n").reverse();
    for (const line of lines) {
      const { level, msg } = parseObject(line);
      if (typeof msg === "string" && (level === "error" || level === "fatal")) return boundText(msg);
    }
    return undefined;
  }

  #size(): number {
    try {
      return sys.stat(this.#path).size;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return 0;
    }
  }

  #tail(mark: number): string {
    try {
      return withFile(this.#path, O_RDONLY, 0, (fd) => {
        const size = sys.fstat(fd).size;
        const start = Math.max(mark, size - TAIL_BYTES);
        const bytes = new Uint8Array(Math.max(0, Math.min(size - start, TAIL_BYTES)));
        const count = sys.pread(fd, bytes, 0, bytes.length, start);
        return sys.decodeUtf8(bytes.subarray(0, count));
      });
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return "";
    }
  }
}
