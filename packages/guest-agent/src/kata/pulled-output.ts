/** An output of a process that the host reads when it likes: what nobody has asked for stays in the pipe. */

import * as sys from "tiny:sys";
import { EPOLLET, EPOLLIN, Errno, hasErrno, unwatch, watch } from "@husk/tiny";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import type { Call } from "./services.ts";

/** Most bytes of an answer, as many as a pipe of usual size holds. */
const READ_BYTES = 64 * 1024;
/** Most calls that may wait for the same output. */
const MAX_WAITING = 64;

// Shared: an answer has bytes of its own before the next is read.
const buffer = new Uint8Array(READ_BYTES);

/** What a call is told that comes behind the last byte. Kata's hosts look for this very text. */
export function endOfOutput(): Error {
  return new Error("EOF");
}

interface Reader {
  length: number;
  resolve(data: Uint8Array): void;
  reject(error: unknown): void;
}

/** See the head of the file. */
export class PulledOutput {
  readonly #fd: number;
  readonly #ended: () => void;
  #waiting: Reader[] = [];
  #open = true;

  /**
   * @param fd non-blocking end of a pipe or terminal
   * @param onWritable told when a terminal takes input again
   * @param ended called once, when all has been read; the descriptor is not watched any more then
   */
  constructor(fd: number, onWritable: (() => void) | undefined, ended: () => void) {
    this.#fd = fd;
    this.#ended = ended;
    watch(fd, EPOLLIN | EPOLLET, () => {
      onWritable?.();
      this.#serve();
    });
  }

  /** Reads at most `length` bytes, as soon as there are any. @throws Error at the end */
  read(length: number, call: Call): Promise<Uint8Array> {
    if (length === 0) return Promise.resolve(new Uint8Array());
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= MAX_WAITING)
        throw new TtrpcError(StatusCode.RESOURCE_EXHAUSTED, `${MAX_WAITING} calls wait for this output`);
      const reader = { length: Math.min(length, READ_BYTES), resolve, reject };
      this.#waiting.push(reader);
      // What it would have got is for the next one.
      call.onAbandoned(() => {
        this.#waiting = this.#waiting.filter((other) => other !== reader);
      });
      this.#serve();
    });
  }

  /** Lets go of it, read or not. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    unwatch(this.#fd);
    this.#ended();
    this.#serve();
  }

  #serve(): void {
    for (let reader = this.#waiting[0]; reader; reader = this.#waiting[0]) {
      if (!this.#open) {
        this.#waiting.shift();
        reader.reject(endOfOutput());
        continue;
      }
      const count = this.#take(reader.length);
      if (count < 0) return;
      if (count === 0) {
        this.close();
        return;
      }
      this.#waiting.shift();
      reader.resolve(buffer.slice(0, count));
    }
  }

  /** Bytes read into the buffer; -1 when nothing is there yet; 0 at the end. */
  #take(length: number): number {
    try {
      return sys.read(this.#fd, buffer, 0, length);
    } catch (error) {
      // A terminal whose last user has closed it.
      if (hasErrno(error, Errno.EIO)) return 0;
      throw error;
    }
  }
}
