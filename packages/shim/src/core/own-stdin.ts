import * as sys from "tiny:sys";
import { callSoon, EPOLLIN, Errno, hasErrno, isSystemError, O_RDONLY, unwatch, watch } from "@husk/tiny";
import { type OwnStream, openOwnStream } from "./own-stream.ts";
import { isInBackground } from "./own-terminal.ts";
import type { StdinFeed } from "./stdin-feed.ts";

const STDIN = 0;
/** Bytes that are read at a time. */
const PIECE_BYTES = 32 * 1024;

/** Our own stdin as the input of the process: read only as fast as that takes it. */
export class OwnStdin {
  readonly #stream: OwnStream;
  readonly #feed: StdinFeed;
  #isWatched = false;
  #isOpen = true;
  /** it is a terminal that is another's while we are in the background */
  #isAway = false;

  /** Begins to read. */
  constructor(feed: StdinFeed) {
    this.#feed = feed;
    this.#stream = openOwnStream(STDIN, O_RDONLY);
    this.#wait();
  }

  /** Reads on, if it was another's meanwhile. */
  resume(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#wait();
  }

  /** Reads no more, and leaves stdin as it was found. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#pause();
    this.#stream.release();
  }

  #wait(): void {
    if (!this.#isOpen) return;
    if (!this.#stream.waits) {
      callSoon(() => this.#read());
      return;
    }
    this.#isWatched = true;
    watch(this.#stream.fd, EPOLLIN, () => this.#read());
  }

  #pause(): void {
    if (this.#isWatched) unwatch(this.#stream.fd);
    this.#isWatched = false;
  }

  #read(): void {
    if (!this.#isOpen) return;
    const piece = new Uint8Array(PIECE_BYTES);
    const count = this.#readInto(piece);
    if (count < 0) return;
    this.#pause();
    if (this.#isAway) return;
    if (count > 0) {
      this.#feed.give(piece.subarray(0, count), () => this.#wait());
      return;
    }
    this.#feed.end();
    this.close();
  }

  /** Bytes read; -1 when there are none yet. */
  #readInto(piece: Uint8Array): number {
    try {
      return sys.read(this.#stream.fd, piece, 0, piece.length);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#isAway = hasErrno(error, Errno.EIO) && isInBackground();
      // A terminal that was hung up, a directory: no input comes from it.
      return 0;
    }
  }
}
