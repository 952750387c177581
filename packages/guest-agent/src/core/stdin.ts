/** What goes into a process: kept until the process takes it, never dropped while it lives. */

import * as sys from "tiny:sys";
import { EPOLLET, EPOLLOUT, Errno, hasErrno, Output, unwatch, watch } from "@husk/tiny";
import type { InputSink } from "./stream-channel.ts";

/** Bytes that may wait for one process before the host is made to wait. */
const HIGH_WATER_BYTES = 64 * 1024;

/** The agent's end of a process's standard input. */
export class Stdin implements InputSink {
  readonly #output: Output;
  readonly #isTerminal: boolean;
  readonly #drained: () => void;
  #open = true;
  #closing = false;

  /**
   * @param fd write end of the pipe, which this owns, or the terminal's master, which stays the terminal's
   * @param drained called when a full input has room again
   */
  constructor(fd: number, isTerminal: boolean, drained: () => void) {
    this.#output = new Output(fd);
    this.#isTerminal = isTerminal;
    this.#drained = drained;
    // A terminal's master is watched for its output already.
    if (!isTerminal) watch(fd, EPOLLOUT | EPOLLET, () => this.flush());
  }

  /** False when the process will never take more. */
  get open(): boolean {
    return this.#open && !this.#closing;
  }

  get inputFull(): boolean {
    return this.#output.keptBytes > HIGH_WATER_BYTES;
  }

  takeInput(data: Uint8Array): void {
    if (!this.#open) return;
    if (data.length > 0) this.#attempt(() => this.#output.write(data));
    // A terminal is not closed; the host sends its end-of-file character instead (hyperstart.md 1.3).
    else if (!this.#isTerminal) this.#closing = true;
    this.#closeWhenEmpty();
  }

  /** Writes what waits, as the process takes it. */
  flush(): void {
    if (!this.#open) return;
    const wasFull = this.inputFull;
    this.#attempt(() => this.#output.flush());
    this.#closeWhenEmpty();
    if (wasFull && !this.inputFull) this.#drained();
  }

  /** Lets go of the descriptor and of what waits: the process is gone. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#output.discard();
    if (this.#isTerminal) return;
    unwatch(this.#output.fd);
    sys.close(this.#output.fd);
  }

  #attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!hasErrno(error, Errno.EPIPE, Errno.EIO)) throw error;
      // The process has closed its input: what it will never read is of no use to anybody.
      this.#output.discard();
      this.#closing = true;
    }
  }

  #closeWhenEmpty(): void {
    if (this.#closing && !this.#output.blocked) this.close();
  }
}
