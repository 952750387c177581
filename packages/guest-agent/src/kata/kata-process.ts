/** A process as the Kata door's host knows it: by an id, with an end that several may wait for. */

import * as sys from "tiny:sys";
import { Errno, hasErrno, readTextIfThere, SIGKILL, SIGTERM } from "@husk/tiny";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import type { Attachment, Process } from "../core/process.ts";
import { PulledStreams } from "./pulled-streams.ts";
import type { Call } from "./services.ts";

/** Most calls that may wait for the end of one process. */
const MAX_WAITERS = 256;

interface Waiter {
  resolve(code: number): void;
  reject(error: unknown): void;
}

/** See the head of the file. */
export class KataProcess {
  readonly id: string;
  readonly streams = new PulledStreams();
  #process: Process | undefined;
  #code: number | undefined;
  #waiters = new Set<Waiter>();

  constructor(id: string) {
    this.id = id;
  }

  /** What its process is started with. */
  attachment(): Attachment {
    return {
      streams: this.streams,
      onExited: (code) => {
        this.#code = code;
        for (const { resolve } of this.#waiters) resolve(code);
        this.#waiters.clear();
      },
      onReleased: () => {},
    };
  }

  /** There is a process now. */
  become(process: Process): void {
    this.#process = process;
    process.announce();
  }

  /** @throws TtrpcError while it is being made */
  get process(): Process {
    if (!this.#process)
      throw new TtrpcError(StatusCode.FAILED_PRECONDITION, `process "${this.id}" is being made`);
    return this.#process;
  }

  get exited(): boolean {
    return this.#code !== undefined;
  }

  /** Resolves with its exit code. */
  async wait(call: Call): Promise<number> {
    if (this.#code !== undefined) return this.#code;
    if (this.#waiters.size >= MAX_WAITERS)
      throw new TtrpcError(
        StatusCode.RESOURCE_EXHAUSTED,
        `${MAX_WAITERS} calls wait for process "${this.id}"`,
      );
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      this.#waiters.add(waiter);
      call.onAbandoned(() => this.#waiters.delete(waiter));
    });
  }

  /** Lets go of it: it has ended, or there never was one. */
  forget(): void {
    this.streams.close();
    const error = new TtrpcError(StatusCode.NOT_FOUND, `process "${this.id}" was not started`);
    for (const { reject } of this.#waiters) reject(error);
    this.#waiters.clear();
  }

  /** Sends it a signal, or to its whole process group. One that has ended takes it without a word. */
  signal(signal: number, toGroup: boolean): void {
    const { pid } = this.process;
    if (this.exited) return;
    try {
      sys.kill(toGroup ? -pid : pid, signal);
    } catch (error) {
      // It is ending at this moment.
      if (!hasErrno(error, Errno.ESRCH)) throw error;
    }
  }

  /** The signal that does to it as a first process what the asked one is meant to do. */
  effectiveSignal(signal: number): number {
    // The kernel keeps from the first process of a PID namespace what it has no handler for.
    return signal === SIGTERM && !this.exited && !this.#catches(signal) ? SIGKILL : signal;
  }

  #catches(signal: number): boolean {
    const status = readTextIfThere(`/proc/${this.process.pid}/status`) ?? "";
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
    return ((BigInt(`0x${caught}`) >> BigInt(signal - 1)) & 1n) === 1n;
  }
}
