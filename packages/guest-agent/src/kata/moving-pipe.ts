/** The way of much output: from the process's pipe into one of the agent's own, and from there on without being looked at. */

import * as sys from "tiny:sys";
import { Conduit, move } from "../core/frame-mover.ts";
import type { KeptOutput } from "./kept-output.ts";
import type { PipeTail } from "./pipe-tail.ts";

/** Most bytes of an answer that is moved. */
export const MOVED_BYTES = 256 * 1024;

/** Most bytes of an answer that is copied because the pages of what is kept are too many. */
const CROWDED_BYTES = 64 * 1024;

/** See the head of the file. */
export class MovingPipe {
  readonly #conduit = new Conduit(MOVED_BYTES);
  readonly #freed: (unsent: number) => void;
  /** bytes that are in it */
  #held = 0;
  /** those of them, the first, that are kept already */
  #kept = 0;
  /** some of them are the tail of an answer */
  #lent = false;
  #open = true;

  /** @param freed told when the tail that was given has been sent, or given back: how many bytes of it were not sent */
  constructor(freed: (unsent: number) => void) {
    this.#freed = freed;
  }

  /** True while there is a tail. */
  get busy(): boolean {
    return this.#lent;
  }

  /** At most `length` bytes of a pipe, as a tail; bytes when there is no room to keep one; -1 when nothing is there yet; 0 at the end. */
  take(from: number, length: number, kept?: KeptOutput): PipeTail | Uint8Array | number {
    if (this.#held === 0) {
      const count = move(from, this.#conduit.to, Math.min(length, MOVED_BYTES));
      if (count <= 0) return count;
      this.#held = count;
    }
    if (kept && this.#kept === 0) {
      const count = kept.keepPiped(this.#conduit.from, Math.min(length, this.#held));
      if (count <= 0) return this.#read(Math.min(length, this.#held, CROWDED_BYTES));
      this.#kept = count;
    }
    this.#lent = true;
    return this.#lend(Math.min(length, kept ? this.#kept : this.#held));
  }

  /** What is in it is not kept any more; gives how many bytes were. */
  unkeep(): number {
    const count = this.#kept;
    this.#kept = 0;
    return count;
  }

  /** Drops what is kept: it will be sent from there. */
  dropKept(): void {
    if (this.#kept > 0) this.#read(this.#kept);
  }

  /** Drops what is in it. */
  drop(): void {
    if (!this.#lent && this.#held > 0) this.#read(this.#held);
  }

  /** Lets go of it, when the tail is no longer needed. */
  close(): void {
    this.#open = false;
    if (!this.#lent) this.#conduit.close();
  }

  #lend(length: number): PipeTail {
    return {
      length,
      fd: this.#conduit.from,
      moved: () => {
        this.#forget(length);
        this.#settle(0);
      },
      read: () => {
        const bytes = this.#read(length);
        this.#settle(0);
        return bytes;
      },
      giveBack: () => this.#settle(length),
    };
  }

  #read(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const count = sys.read(this.#conduit.from, bytes, at, length - at);
      if (count <= 0) throw new Error(`${length - at} bytes of output are lost`);
      at += count;
    }
    this.#forget(length);
    return bytes;
  }

  #forget(length: number): void {
    this.#held -= length;
    this.#kept = Math.max(0, this.#kept - length);
  }

  #settle(unsent: number): void {
    this.#lent = false;
    if (this.#open) this.#freed(unsent);
    else this.#conduit.close();
  }
}
