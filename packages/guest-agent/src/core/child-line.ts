/** The agent's end of the pipes to a child that it has forked. */

import * as sys from "tiny:sys";
import {
  EPOLLIN,
  Errno,
  hasErrno,
  SIGKILL,
  startTimer,
  stopTimer,
  unwatch,
  watch,
  writeAll,
} from "@husk/tiny";
import { COMPLAINT_BYTES } from "./fork-child.ts";

/** The first byte of what a child says. */
export const News = { PAUSES: 1, COMPLAINS: 2 } as const;

/** See the head of the file. */
export class ChildLine {
  readonly #pid: number;
  readonly #hear: number;
  readonly #go: number | undefined;
  readonly #deadlineMs: number;
  #open = true;
  #hearing = false;

  /**
   * @param hear end of the pipe that the child writes to, and execve closes
   * @param go end of the pipe that a pausing child reads from
   * @param deadlineMs milliseconds that the child has between two of its news
   */
  constructor(pid: number, hear: number, go: number | undefined, deadlineMs: number) {
    this.#pid = pid;
    this.#hear = hear;
    this.#go = go;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * Resolves when the child pauses, or the pipe closes, which execve does too; rejects with its complaint. A child from
   * which nothing is heard is killed, so that the host's next commands are served. Its end is not waited for: on a disk
   * that never answers, not even SIGKILL is heard.
   */
  hear(): Promise<void> {
    this.#hearing = true;
    return new Promise((resolve, reject) => {
      const buffer = new Uint8Array(1 + COMPLAINT_BYTES);
      let size = 0;
      const timer = startTimer(this.#deadlineMs, () => {
        this.#close();
        reject(new Error(`the process was not set up in ${this.#deadlineMs} ms`));
        sys.kill(this.#pid, SIGKILL);
      });
      watch(this.#hear, EPOLLIN, () => {
        const count = sys.read(this.#hear, buffer, size, buffer.length - size);
        if (count < 0) return;
        size += count;
        const pauses = size > 0 && buffer[0] === News.PAUSES;
        if (!pauses && count > 0 && size < buffer.length) return;
        stopTimer(timer);
        if (pauses) this.#stopHearing();
        else this.#close();
        if (pauses || size === 0) resolve();
        else reject(new Error(sys.decodeUtf8(buffer.subarray(1, size))));
      });
    });
  }

  /** Lets the child go on; resolves as {@link hear} does. */
  async goOn(): Promise<void> {
    if (!this.#open || this.#go === undefined) throw new Error("the process does not wait");
    try {
      writeAll(this.#go, Uint8Array.of(1));
    } catch (error) {
      this.#close();
      throw hasErrno(error, Errno.EPIPE) ? new Error("the process has ended") : error;
    }
    await this.hear();
  }

  /** Lets go of a child that will not go on. One that is being heard says so itself. */
  forget(): void {
    if (!this.#hearing) this.#close();
  }

  #stopHearing(): void {
    if (this.#hearing) unwatch(this.#hear);
    this.#hearing = false;
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#stopHearing();
    sys.close(this.#hear);
    if (this.#go !== undefined) sys.close(this.#go);
  }
}
