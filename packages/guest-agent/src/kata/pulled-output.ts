/** An output of a process that the host reads when it likes: what nobody has asked for stays in the pipe. */

import * as sys from "tiny:sys";
import { callSoon, EPOLLET, EPOLLIN, Errno, F_SETPIPE_SZ, hasErrno, unwatch, watch } from "@husk/tiny";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import type { Call } from "./services.ts";

/** Most bytes of an answer: with all that stands before them, eight whole frames on the port. */
const READ_BYTES = 256 * 1024 - 256;
/** Bytes that a pipe of usual size holds: when it was full, its process can write more than it is asked for. */
const PIPE_BYTES = 64 * 1024;
/** Bytes that such a pipe is made to hold: its process goes on while the host reads and asks anew. */
const LARGE_PIPE_BYTES = 512 * 1024;
/** Pieces of that length that are dropped before others have their turn. */
const PIECES_AT_ONCE = 8;
/** Most calls that may wait for the same output. */
const MAX_WAITING = 64;

// Shared: an answer has bytes of its own before the next is read.
const buffer = new Uint8Array(READ_BYTES);

/** What a call is told that comes behind the last byte. Kata's hosts look for this very text. */
export function endOfOutput(): Error {
  return new Error("EOF");
}

/** Those whose end has not been reached. */
const openOutputs = new Set<PulledOutput>();

/**
 * The host has gone, and with it whoever read: a process must not stop at a full pipe for that. What comes is dropped until
 * somebody asks for it again.
 */
export function dropUnreadOutput(): void {
  for (const output of openOutputs) output.drop();
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
  /** nobody is going to read */
  #dropping = false;
  #dropsSoon = false;
  #isLarge = false;

  /**
   * @param fd non-blocking end of a pipe or terminal
   * @param onWritable told when a terminal takes input again
   * @param ended called once, when all has been read; the descriptor is not watched any more then
   */
  constructor(fd: number, onWritable: (() => void) | undefined, ended: () => void) {
    this.#fd = fd;
    this.#ended = ended;
    openOutputs.add(this);
    watch(fd, EPOLLIN | EPOLLET, () => {
      onWritable?.();
      this.#serve();
    });
  }

  /** Reads at most `length` bytes, as soon as there are any. @throws Error at the end */
  read(length: number, call: Call): Promise<Uint8Array> {
    if (length === 0) return Promise.resolve(new Uint8Array());
    this.#dropping = false;
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

  /** Drops what is there and what comes, until it is asked for. */
  drop(): void {
    if (this.#waiting.length > 0) return;
    this.#dropping = true;
    this.#dropSome();
  }

  /** A little at a time: there may be no end to it. */
  #dropSome(): void {
    for (let pieces = 0; this.#dropping && this.#open; pieces++) {
      if (pieces === PIECES_AT_ONCE) {
        if (this.#dropsSoon) return;
        this.#dropsSoon = true;
        callSoon(() => {
          this.#dropsSoon = false;
          this.#dropSome();
        });
        return;
      }
      const count = this.#take(READ_BYTES);
      if (count < 0) return;
      if (count === 0) this.close();
    }
  }

  /** Lets go of it, read or not. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    openOutputs.delete(this);
    unwatch(this.#fd);
    this.#ended();
    this.#serve();
  }

  #serve(): void {
    if (this.#dropping) this.#dropSome();
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
      const count = sys.read(this.#fd, buffer, 0, length);
      if (count === PIPE_BYTES && !this.#isLarge) this.#enlarge();
      return count;
    } catch (error) {
      // A terminal whose last user has closed it.
      if (hasErrno(error, Errno.EIO)) return 0;
      throw error;
    }
  }

  #enlarge(): void {
    this.#isLarge = true;
    try {
      sys.fcntl(this.#fd, F_SETPIPE_SZ, LARGE_PIPE_BYTES);
    } catch (error) {
      // A terminal is no pipe; and where it may not be larger, it is slower.
      if (!hasErrno(error, Errno.EBADF, Errno.EPERM)) throw error;
    }
  }
}
