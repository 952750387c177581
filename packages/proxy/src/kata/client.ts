/** A client of the proxy: a connection to it, and the stream that is its connection to the agent. */

import * as sys from "tiny:sys";
import {
  callSoon,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  isSystemError,
  Output,
  rewatch,
  unwatch,
  watch,
} from "@husk/tiny";
import type { YamuxStream } from "@husk/wire/yamux";

/** Bytes asked for in one read. */
const READ_BYTES = 64 * 1024;
/** Reads of one client before the others get their turn. */
const READS_PER_TURN = 8;
const SHUT_WR = 1;
const INTEREST = EPOLLIN | EPOLLRDHUP | EPOLLET;

// Shared: what is read is sent, or copied, before the next read.
const buffer = new Uint8Array(READ_BYTES);

/**
 * Each way ends on its own. What one side does not take stays with the other: with the client in its socket, with the
 * guest by the stream's window, but for a window of it here.
 */
export class Client {
  readonly #fd: number;
  readonly #stream: YamuxStream;
  readonly #output: Output;
  readonly #gone: () => void;
  /** bytes of the client's that the stream has not taken */
  #unsent: Uint8Array | undefined;
  /** bytes of the guest's that it has not been told to be used */
  #unconsumed = 0;
  #clientEnded = false;
  #guestEnded = false;
  #isArmed = false;
  #isOpen = true;

  /** @param gone called once, when nothing is left to be carried */
  constructor(fd: number, stream: YamuxStream, gone: () => void) {
    this.#fd = fd;
    this.#stream = stream;
    this.#output = new Output(fd);
    this.#gone = gone;
    watch(fd, INTEREST, (events) =>
      this.#guard(() => {
        if (events & EPOLLOUT) this.#flush();
        if (events & ~EPOLLOUT) this.#read();
      }),
    );
  }

  /** The guest has sent something. */
  takeData(data: Uint8Array): void {
    this.#guard(() => {
      this.#unconsumed += data.length;
      this.#output.write(data);
      this.#settleOutput();
    });
  }

  /** The guest takes bytes again. */
  takeRoom(): void {
    const unsent = this.#unsent;
    if (!unsent || !this.#isOpen) return;
    const count = this.#stream.write(unsent);
    this.#unsent = count < unsent.length ? unsent.subarray(count) : undefined;
    if (!this.#unsent) callSoon(() => this.#guard(() => this.#read()));
  }

  /** The guest sends no more. */
  takeEnd(): void {
    this.#guestEnded = true;
    this.#guard(() => this.#settleOutput());
  }

  /** The stream is gone. What the guest has sent is delivered still. */
  takeReset(): void {
    this.#clientEnded = true;
    this.takeEnd();
  }

  /** Lets go of the client at once. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    unwatch(this.#fd);
    sys.close(this.#fd);
    this.#stream.reset();
    this.#gone();
  }

  #read(): void {
    for (let turn = 0; this.#isOpen && !this.#clientEnded && !this.#unsent; turn++) {
      if (turn === READS_PER_TURN) {
        callSoon(() => this.#guard(() => this.#read()));
        return;
      }
      const count = sys.read(this.#fd, buffer, 0, READ_BYTES);
      if (count < 0) return;
      if (count === 0) this.#endClient();
      else this.#send(count);
    }
  }

  #send(count: number): void {
    const sent = this.#stream.write(buffer, 0, count);
    if (sent < count) this.#unsent = buffer.slice(sent, count);
  }

  #endClient(): void {
    this.#clientEnded = true;
    this.#stream.close();
    this.#closeWhenDone();
  }

  #flush(): void {
    this.#output.flush();
    this.#settleOutput();
  }

  #settleOutput(): void {
    const { blocked } = this.#output;
    if (blocked !== this.#isArmed) {
      this.#isArmed = blocked;
      rewatch(this.#fd, INTEREST | (blocked ? EPOLLOUT : 0));
    }
    if (blocked) return;
    this.#stream.consume(this.#unconsumed);
    this.#unconsumed = 0;
    if (!this.#guestEnded) return;
    if (!this.#clientEnded) sys.shutdown(this.#fd, SHUT_WR);
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#clientEnded && this.#guestEnded && !this.#output.blocked) this.close();
  }

  /** A client that has gone in the middle of something takes only its own stream with it. */
  #guard(task: () => void): void {
    if (!this.#isOpen) return;
    try {
      task();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.close();
    }
  }
}
