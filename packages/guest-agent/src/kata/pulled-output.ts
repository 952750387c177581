/** An output of a process that the host reads when it likes: what nobody has asked for stays in the pipe. */

import * as sys from "tiny:sys";
import {
  callSoon,
  EPOLLET,
  EPOLLIN,
  Errno,
  F_GETPIPE_SZ,
  F_SETPIPE_SZ,
  hasErrno,
  isSystemError,
  unwatch,
  watch,
} from "@husk/tiny";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { KeptOutput } from "./kept-output.ts";
import { MOVED_BYTES, MovingPipe } from "./moving-pipe.ts";
import type { OutputReader, ReadOutput } from "./output-reader.ts";
import type { PipeTail } from "./pipe-tail.ts";
import type { Call } from "./services.ts";

/** Most bytes of an answer that is copied: with all that stands before them, two whole frames on the port. */
const READ_BYTES = 64 * 1024 - 64;
/** Bytes that the pipe of a process holds from which much comes: it goes on while the host reads and asks anew. */
const LARGE_PIPE_BYTES = 2 * MOVED_BYTES;
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

/** See the head of the file. */
export class PulledOutput {
  readonly #fd: number;
  readonly #isPipe: boolean;
  readonly #ended: () => void;
  #waiting: OutputReader[] = [];
  #open = true;
  /** bytes that have been sent, while none are kept */
  #sent = 0;
  /** what was sent, for readers that say what they have */
  #kept: KeptOutput | undefined;
  /** what is to be sent again, before all else */
  #again: Uint8Array[] = [];
  /** nobody is going to read */
  #dropping = false;
  #dropsSoon = false;
  /** there once it has given as much as could be read; never for a terminal */
  #moving: MovingPipe | undefined;

  /**
   * @param fd non-blocking end of a pipe or terminal
   * @param onWritable told when a terminal takes input again
   * @param ended called once, when all has been read; the descriptor is not watched any more then
   */
  constructor(fd: number, onWritable: (() => void) | undefined, ended: () => void) {
    this.#fd = fd;
    this.#isPipe = onWritable === undefined;
    this.#ended = ended;
    openOutputs.add(this);
    watch(fd, EPOLLIN | EPOLLET, () => {
      onWritable?.();
      this.#serve();
    });
  }

  /** whether more may come from the process */
  get isOpen(): boolean {
    return this.#open;
  }

  /** whether there is, or will be, something that a reader may want */
  get isWanted(): boolean {
    return this.#open || this.#kept !== undefined || this.#again.length > 0;
  }

  /** Reads at most `length` bytes, as soon as there are any. @throws Error at the end, TtrpcError */
  async read({ length, acknowledged, resume }: ReadOutput, call: Call): Promise<Uint8Array | PipeTail> {
    if (acknowledged === undefined) this.#stopKeeping();
    else this.#keep();
    if (acknowledged !== undefined && !resume) this.#kept?.acknowledge(acknowledged);
    // What was acknowledged may have made room for who waits.
    if (length === 0) {
      this.#serve();
      return new Uint8Array();
    }
    this.#dropping = false;
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= MAX_WAITING)
        throw new TtrpcError(StatusCode.RESOURCE_EXHAUSTED, `${MAX_WAITING} calls wait for this output`);
      const reader = { length, resumeAt: resume ? acknowledged : undefined, resolve, reject };
      this.#waiting.push(reader);
      // What it would have got is for the next one.
      call.onAbandoned(() => {
        this.#waiting = this.#waiting.filter((other) => other !== reader);
      });
      this.#serve();
    });
  }

  /** From here on what is sent is kept. */
  #keep(): void {
    if (this.#kept) return;
    if (this.#moving?.busy)
      throw new TtrpcError(StatusCode.FAILED_PRECONDITION, "somebody else reads this output");
    const kept = new KeptOutput(this.#sent);
    if (this.#moving) kept.openPipe();
    this.#kept = kept;
  }

  #stopKeeping(): void {
    if (!this.#kept) return;
    this.#sent = this.#kept.end - (this.#moving?.unkeep() ?? 0);
    this.#releaseKept();
  }

  /** False when a reader cannot begin there. */
  #resume(reader: OutputReader, position: number): boolean {
    reader.resumeAt = undefined;
    try {
      const pieces = this.#kept?.takeBack(position) ?? [];
      this.#moving?.dropKept();
      this.#again.unshift(...pieces);
      return true;
    } catch (error) {
      reader.reject(error);
      return false;
    }
  }

  #releaseKept(): void {
    this.#kept?.close();
    this.#kept = undefined;
  }

  /** Drops what is there and what comes, until it is asked for. What has readers that come back stays. */
  drop(): void {
    if (this.#waiting.length > 0 || this.#kept) return;
    this.#dropping = true;
    this.#again = [];
    this.#moving?.drop();
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
      const count = this.#copy(READ_BYTES);
      if (count < 0) return;
      if (count === 0) this.close();
    }
  }

  /** Lets go of it, read or not. */
  forget(): void {
    this.#releaseKept();
    this.#again = [];
    this.close();
  }

  /** Nothing more comes from the process. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    openOutputs.delete(this);
    unwatch(this.#fd);
    this.#moving?.close();
    this.#ended();
    this.#serve();
  }

  #serve(): void {
    if (this.#dropping) this.#dropSome();
    for (let reader = this.#waiting[0]; reader; reader = this.#waiting[0]) {
      if (this.#open && this.#moving?.busy) return;
      if (reader.resumeAt !== undefined && !this.#resume(reader, reader.resumeAt)) {
        this.#waiting.shift();
        continue;
      }
      const piece = this.#takeAgain(reader.length) ?? this.#takeNew(reader.length);
      if (piece === "none") return;
      this.#waiting.shift();
      if (piece === "end") reader.reject(endOfOutput());
      else reader.resolve(piece);
    }
  }

  #takeAgain(length: number): Uint8Array | undefined {
    const first = this.#again.shift();
    if (!first) return undefined;
    if (first.length > length) this.#again.unshift(first.subarray(length));
    const piece = first.subarray(0, length);
    this.#account(piece);
    return piece;
  }

  #takeNew(length: number): Uint8Array | PipeTail | "none" | "end" {
    if (!this.#open) return "end";
    if (this.#kept?.isFull) return "none";
    const piece = this.#take(length);
    if (piece === -1) return "none";
    if (piece === 0) {
      this.close();
      return "end";
    }
    if (typeof piece === "object" && !(piece instanceof Uint8Array)) {
      this.#sent += piece.length;
      return piece;
    }
    const bytes = typeof piece === "number" ? buffer.slice(0, piece) : piece;
    this.#account(bytes);
    return bytes;
  }

  #account(bytes: Uint8Array): void {
    if (this.#kept) this.#kept.keep(bytes);
    else this.#sent += bytes.length;
  }

  /** A tail, bytes, or how many have been read into the buffer; -1 when nothing is there yet; 0 at the end. */
  #take(length: number): PipeTail | Uint8Array | number {
    if (this.#moving) return this.#moving.take(this.#fd, length, this.#kept);
    const count = this.#copy(Math.min(length, READ_BYTES));
    if (count === READ_BYTES && this.#isPipe) this.#beginToMove();
    return count;
  }

  /** Bytes read into the buffer; -1 when nothing is there yet; 0 at the end. */
  #copy(length: number): number {
    try {
      return sys.read(this.#fd, buffer, 0, length);
    } catch (error) {
      // A terminal whose last user has closed it.
      if (hasErrno(error, Errno.EIO)) return 0;
      throw error;
    }
  }

  /**
   * Much comes: the process gets room to go on while the host reads and asks anew, unless it has been given more. Where
   * there is none, nor descriptors, it is slower.
   */
  #beginToMove(): void {
    try {
      if (sys.fcntl(this.#fd, F_GETPIPE_SZ, 0) < LARGE_PIPE_BYTES)
        sys.fcntl(this.#fd, F_SETPIPE_SZ, LARGE_PIPE_BYTES);
      this.#kept?.openPipe();
      this.#moving = new MovingPipe((unsent) => {
        this.#sent -= unsent;
        this.#serve();
      });
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
}
