/** One byte stream between this program and another: a socket, watched for edges. */

import * as sys from "tiny:sys";
import { CLOCK_MONOTONIC, EPOLLET, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from "./constants.ts";
import { errorText, isSystemError } from "./errors.ts";
import { callSoon, rewatch, startTimer, unwatch, watch } from "./loop.ts";
import { Output } from "./output.ts";

/** Bytes asked for in one read. */
const READ_BYTES = 64 * 1024;
/** Reads of one connection before the others get their turn. */
const READS_PER_TURN = 8;

/** Bytes that came without a pause, from which on there is much: then what comes next is let come together for a moment. */
const MUCH_BYTES = 256 * 1024;
/** A read of less is worth that moment. */
const SMALL_BYTES = 32 * 1024;
/** Milliseconds of it. */
const GATHERING_MS = 1;
/** Milliseconds without anything, after which there is not much any more. */
const PAUSE_MS = 10;

/** Bytes before those that are read: room for the header of whatever they are passed on in. */
const ROOM_BYTES = 16;

// Shared by all connections: what is read is used up before the next read.
const buffer = new Uint8Array(ROOM_BYTES + READ_BYTES);

/** What the owner of a connection does with it. Nothing is called while the connection is written to. */
export interface ConnectionHandlers {
  /** Bytes came, in a buffer that is used again: copy what must stay. It may be written over, and 16 bytes before it. */
  onBytes(bytes: Uint8Array): void;
  /** All that was kept has been written. */
  onWritable(): void;
  /** The other side has gone; nothing is called any more. `error`: when it went in the middle of something */
  onEnd(error?: string): void;
  /** The other side has gone, or sends no more, while nothing is read: its end comes behind what is still to be read. */
  onHangUp?(): void;
}

/** See the head of the file. */
export class Connection {
  readonly fd: number;
  readonly #output: Output;
  readonly #handlers: ConnectionHandlers;
  #paused = false;
  readonly #gathers: boolean;
  /** waits for more to come together */
  #isGathering = false;
  /** bytes that came without a pause, and when the last did */
  #inRow = 0;
  #lastAt = 0;
  #reading = false;
  #isArmed = false;
  /** the other side's end, or an error, is behind what is there to be read */
  #hasHungUp = false;
  #isOpen = true;
  /** the other side reads no more; what it has sent before is still to be read */
  #isWritable = true;

  /** `gathers`: much that comes in small pieces is read in fewer, larger ones, up to a millisecond later */
  constructor(fd: number, handlers: ConnectionHandlers, gathers = false) {
    this.fd = fd;
    this.#gathers = gathers;
    this.#output = new Output(fd);
    this.#handlers = handlers;
    watch(fd, EPOLLIN | EPOLLRDHUP | EPOLLET, (events) => {
      if (events & EPOLLOUT) this.#flush();
      const hangsUp = !this.#hasHungUp && (events & ~(EPOLLIN | EPOLLOUT)) !== 0;
      this.#hasHungUp ||= hangsUp;
      if (events & ~EPOLLOUT) this.#read();
      if (hangsUp && this.#isOpen && this.#paused) this.#handlers.onHangUp?.();
    });
  }

  /** Whether it has not ended yet. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether bytes wait to be written: no more should be produced for now. */
  get blocked(): boolean {
    return this.#output.blocked;
  }

  /** Writes `buffer[offset, offset + length)`, or keeps a copy until it can be written. */
  write(bytes: Uint8Array, offset = 0, length = bytes.length - offset): void {
    if (!this.#isOpen || !this.#isWritable) return;
    try {
      this.#output.write(bytes, offset, length);
      this.#arm();
    } catch (error) {
      this.#stopWriting(error);
    }
  }

  /** Reads no more until {@link resume}. */
  pause(): void {
    this.#paused = true;
  }

  /** Reads on, in the loop's next turn. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    callSoon(() => this.#read());
  }

  /** Whether the other side has gone, be all of it read or not. */
  get hasHungUp(): boolean {
    return this.#hasHungUp;
  }

  /** Reads now what is there, be it the end. */
  poll(): void {
    this.#read(true);
  }

  /** Ends it from this side; what is kept is dropped. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    unwatch(this.fd);
    sys.close(this.fd);
  }

  #arm(): void {
    if (this.#isArmed === this.#output.blocked) return;
    this.#isArmed = this.#output.blocked;
    rewatch(this.fd, EPOLLIN | EPOLLRDHUP | EPOLLET | (this.#isArmed ? EPOLLOUT : 0));
  }

  #flush(): void {
    if (!this.#isOpen) return;
    try {
      if (!this.#output.flush()) return;
      this.#arm();
    } catch (error) {
      this.#stopWriting(error);
    }
    this.#handlers.onWritable();
  }

  /** The other side's end is seen when all that it has sent is read; whoever holds that up is not held up any more. */
  #stopWriting(error: unknown): void {
    if (!isSystemError(error)) throw error;
    this.#isWritable = false;
    this.#output.discard();
    this.#arm();
    // Whoever writes is in the middle of something.
    callSoon(() => this.#read());
  }

  /** `toEnd`: until it is sure that there is no more */
  #read(toEnd = this.#hasHungUp): void {
    if (this.#reading) return;
    this.#reading = true;
    try {
      this.#readTurn(toEnd);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#reading = false;
    }
  }

  #readTurn(toEnd: boolean): void {
    for (let turn = 0; this.#isOpen && !this.#paused && !this.#isGathering; turn++) {
      if (turn === READS_PER_TURN) {
        callSoon(() => this.#read());
        return;
      }
      const count = sys.read(this.fd, buffer, ROOM_BYTES, READ_BYTES);
      if (count < 0) return;
      if (count === 0) this.#end();
      else this.#handlers.onBytes(buffer.subarray(ROOM_BYTES, ROOM_BYTES + count));
      // There is no more, and what comes later makes itself known; but not an end that has come already.
      if (count < READ_BYTES && !toEnd) {
        if (this.#gathers) this.#gather(count);
        return;
      }
      this.#inRow += count;
    }
  }

  #gather(count: number): void {
    const now = sys.clock(CLOCK_MONOTONIC);
    if (now - this.#lastAt > PAUSE_MS) this.#inRow = 0;
    this.#lastAt = now;
    this.#inRow += count;
    if (this.#inRow < MUCH_BYTES || count >= SMALL_BYTES) return;
    this.#isGathering = true;
    startTimer(GATHERING_MS, () => {
      this.#isGathering = false;
      this.#read();
    });
  }

  #fail(error: unknown): void {
    if (!isSystemError(error)) throw error;
    this.#end(errorText(error));
  }

  #end(error?: string): void {
    if (!this.#isOpen) return;
    this.close();
    this.#handlers.onEnd(error);
  }
}
