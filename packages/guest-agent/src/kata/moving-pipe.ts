/** The way of much output: from the process's pipe into one of the agent's own, and from there on without being looked at. */

import * as sys from "tiny:sys";
import { Conduit, move } from "../core/frame-mover.ts";
import type { PipeTail } from "./pipe-tail.ts";

/** Most bytes of an answer that is moved. */
export const MOVED_BYTES = 256 * 1024;

/** See the head of the file. */
export class MovingPipe {
  readonly #conduit = new Conduit(MOVED_BYTES);
  readonly #freed: () => void;
  /** bytes that are in it */
  #held = 0;
  /** some of them are the tail of an answer */
  #lent = false;
  #open = true;

  /** @param freed told when the tail that was given has been sent, or given back */
  constructor(freed: () => void) {
    this.#freed = freed;
  }

  /** True while there is a tail. */
  get busy(): boolean {
    return this.#lent;
  }

  /** At most `length` bytes of a pipe as a tail; -1 when nothing is there yet; 0 at the end. */
  take(from: number, length: number): PipeTail | number {
    if (this.#held === 0) {
      const count = move(from, this.#conduit.to, Math.min(length, MOVED_BYTES));
      if (count <= 0) return count;
      this.#held = count;
    }
    this.#lent = true;
    return this.#lend(Math.min(length, this.#held));
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
        this.#held -= length;
        this.#settle();
      },
      read: () => {
        const bytes = this.#read(length);
        this.#settle();
        return bytes;
      },
      giveBack: () => this.#settle(),
    };
  }

  #read(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const count = sys.read(this.#conduit.from, bytes, at, length - at);
      if (count <= 0) throw new Error(`${length - at} bytes of output are lost`);
      at += count;
    }
    this.#held -= length;
    return bytes;
  }

  #settle(): void {
    this.#lent = false;
    if (this.#open) this.#freed();
    else this.#conduit.close();
  }
}
