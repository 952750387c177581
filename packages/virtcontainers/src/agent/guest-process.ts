import { Readable, Writable } from "node:stream";
import type { HuskError } from "../errors/index.ts";
import type { ProcessExit, ProcessIo } from "../types/index.ts";

/** The way to a process in the guest, once it has been started. */
export interface ProcessChannel {
  /** `done` is called when more can be taken. */
  writeStdin(data: Buffer, done: () => void): void;
  closeStdin(): void;
  /** The reader wants more, after a `pushOutput` that returned false. */
  resumeOutput(): void;
  signal(signal: number): Promise<void>;
  resize(rows: number, columns: number): Promise<void>;
}

/** A timer that only keeps Node from ending; the longest there is. */
const KEEP_ALIVE_MS = 0x7fff_ffff;

/**
 * A process in the guest as the host sees it. It exists before the process is started, so that nothing is lost: what is
 * written to stdin waits for the start.
 */
export class GuestProcess implements ProcessIo {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  readonly terminal: boolean;
  /** whether somebody reads the output and writes the input */
  readonly attached: boolean;
  readonly #exit = Promise.withResolvers<ProcessExit>();
  #channel: ProcessChannel | undefined;
  /** a write or the end of stdin that came before the start */
  #beforeStart: (() => void) | undefined;
  #exitCode: number | undefined;
  #outputEnded = false;
  #finished = false;
  #keepAlive: NodeJS.Timeout | undefined;

  constructor(options: { terminal: boolean; attached: boolean }) {
    this.terminal = options.terminal;
    this.attached = options.attached;
    this.#exit.promise.catch(() => {});
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => this.#whenStarted(() => this.#write(chunk, done)),
      final: (done) => this.#whenStarted(() => this.#closeStdin(done)),
    });
    const readable = () => new Readable({ read: () => this.#channel?.resumeOutput() });
    this.stdout = readable();
    this.stderr = options.terminal ? undefined : readable();
    if (!options.attached) {
      if (!options.terminal) this.stdin.end();
      this.stdout.resume();
      this.stderr?.resume();
    }
  }

  /** whether the exit status is known */
  get hasExited(): boolean {
    return this.#exitCode !== undefined;
  }

  /** whether it has ended, or is lost */
  get finished(): boolean {
    return this.#finished;
  }

  wait(): Promise<ProcessExit> {
    this.#hold();
    return this.#exit.promise;
  }

  async signal(signal: number): Promise<void> {
    await this.#channel?.signal(signal);
  }

  async resize(rows: number, columns: number): Promise<void> {
    await this.#channel?.resize(rows, columns);
  }

  /** The process has been started: stdin may flow. */
  start(channel: ProcessChannel): void {
    if (this.#finished) return;
    this.#channel = channel;
    if (this.attached) this.#hold();
    const waiting = this.#beforeStart;
    this.#beforeStart = undefined;
    waiting?.();
  }

  /** Takes output. @returns false when the reader has enough for now */
  pushOutput(stream: "stdout" | "stderr", data: Uint8Array): boolean {
    const readable = stream === "stdout" ? this.stdout : this.stderr;
    if (!this.attached || !readable || readable.destroyed || this.#outputEnded) return true;
    return readable.push(data);
  }

  /** All output has been received. */
  endOutput(): void {
    if (this.#outputEnded) return;
    this.#outputEnded = true;
    this.stdout.push(null);
    this.stderr?.push(null);
    this.#finishIfDone();
  }

  /** The exit status is known. */
  exit(exitCode: number): void {
    this.#exitCode ??= exitCode;
    this.#finishIfDone();
  }

  /** The process is lost, or was never started. */
  fail(error: HuskError): void {
    if (this.#finished) return;
    this.#exit.reject(error);
    this.#finish();
    for (const stream of [this.stdout, this.stderr]) {
      // An error that nobody listens for would end the caller's process; whoever waits is told anyway.
      if (stream && !stream.readableEnded)
        stream.destroy(stream.listenerCount("error") > 0 ? error : undefined);
    }
  }

  #finishIfDone(): void {
    if (this.#finished || this.#exitCode === undefined || !this.#outputEnded) return;
    this.#exit.resolve({ exitCode: this.#exitCode });
    this.#finish();
  }

  #finish(): void {
    this.#finished = true;
    clearInterval(this.#keepAlive);
    const waiting = this.#beforeStart;
    this.#beforeStart = undefined;
    waiting?.();
  }

  #whenStarted(action: () => void): void {
    if (this.#channel || this.#finished) action();
    else this.#beforeStart = action;
  }

  /** What is written to a process that has ended goes nowhere, as into a pipe whose writer ignores SIGPIPE. */
  #write(chunk: Buffer, done: () => void): void {
    if (this.#finished || !this.#channel) done();
    else this.#channel.writeStdin(chunk, done);
  }

  #closeStdin(done: () => void): void {
    if (!this.#finished) this.#channel?.closeStdin();
    done();
  }

  #hold(): void {
    if (!this.#finished) this.#keepAlive ??= setInterval(() => {}, KEEP_ALIVE_MS);
  }
}
