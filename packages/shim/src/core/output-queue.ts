import * as sys from "tiny:sys";
import { EPOLLOUT, errorText, isSystemError, unwatch, watch } from "@husk/tiny";
import type { OwnStream } from "./own-stream.ts";

/** Bytes that wait for the descriptor, and who is told when it has them. */
interface Piece {
  bytes: Uint8Array;
  written: () => void;
}

/**
 * Writes in order what a descriptor takes; each piece tells when it is written, so that who has sent it knows what may be
 * let go, and how much is on its way. When nobody can read it any more, it takes all and drops it.
 */
export class OutputQueue {
  readonly #stream: OwnStream;
  readonly #broken: (reason: string) => void;
  #pieces: Piece[] = [];
  /** bytes of the first piece that are written already */
  #at = 0;
  #isBroken = false;
  #emptied: (() => void) | undefined;
  /** bytes that came */
  total = 0;

  /** `broken` is told once, when it cannot be written to any more. */
  constructor(stream: OwnStream, broken: (reason: string) => void) {
    this.#stream = stream;
    this.#broken = broken;
  }

  /** Takes bytes, which may be used again at once. */
  write(data: Uint8Array, written: () => void): void {
    this.total += data.length;
    const count = this.#isBroken || this.#pieces.length > 0 ? 0 : this.#put(data, 0);
    if (this.#isBroken || count === data.length) {
      written();
      return;
    }
    this.#pieces.push({ bytes: data.slice(count), written });
    if (this.#pieces.length === 1) watch(this.#stream.fd, EPOLLOUT, () => this.#flush());
  }

  /** Calls `emptied` when all is written. */
  whenEmpty(emptied: () => void): void {
    if (this.#pieces.length === 0) emptied();
    else this.#emptied = emptied;
  }

  /** Lets go of what waits, and of the descriptor. */
  close(): void {
    if (this.#pieces.length > 0) unwatch(this.#stream.fd);
    this.#pieces = [];
    this.#isBroken = true;
    this.#stream.release();
  }

  /** Writes as much as it takes, from an offset on; gives where it came to. */
  #put(data: Uint8Array, from: number): number {
    let at = from;
    try {
      while (at < data.length) {
        const count = sys.write(this.#stream.fd, data, at, data.length - at);
        if (count < 0) break;
        at += count;
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#isBroken = true;
      this.#broken(errorText(error));
    }
    return at;
  }

  #flush(): void {
    for (let piece = this.#pieces[0]; piece; piece = this.#pieces[0]) {
      this.#at = this.#put(piece.bytes, this.#at);
      if (!this.#isBroken && this.#at < piece.bytes.length) return;
      this.#at = 0;
      this.#pieces.shift();
      if (this.#pieces.length === 0) unwatch(this.#stream.fd);
      piece.written();
    }
    const emptied = this.#emptied;
    this.#emptied = undefined;
    emptied?.();
  }
}
