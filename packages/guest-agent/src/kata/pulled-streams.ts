/** The streams of a process as the Kata door carries them: the host asks for its output, and waits until input is taken. */

import * as sys from "tiny:sys";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import type { ProcessStreams } from "../core/process-streams.ts";
import { Stdin } from "../core/stdin.ts";
import type { Stdio } from "../core/stdio.ts";
import type { ReadOutput } from "./output-reader.ts";
import type { PipeTail } from "./pipe-tail.ts";
import { endOfOutput, PulledOutput } from "./pulled-output.ts";
import type { Call } from "./services.ts";

/** Most calls whose input may wait for the process. */
const MAX_WRITERS = 16;

/** See the head of the file. */
export class PulledStreams implements ProcessStreams {
  #stdin: Stdin | undefined;
  #stdout: PulledOutput | undefined;
  #stderr: PulledOutput | undefined;
  #terminal: number | undefined;
  #done: () => void = () => {};
  #writers = new Set<() => void>();

  connect({ input, output, error, terminal }: Stdio, done: () => void): void {
    const isTerminal = terminal !== undefined;
    this.#done = done;
    if (isTerminal) this.#terminal = input;
    const stdin = new Stdin(input, isTerminal, () => this.#wakeWriters());
    this.#stdin = stdin;
    this.#stdout = new PulledOutput(output, isTerminal ? () => stdin.flush() : undefined, () => {
      if (!isTerminal) sys.close(output);
      else this.#closeTerminal();
    });
    if (error !== undefined) this.#stderr = new PulledOutput(error, undefined, () => sys.close(error));
  }

  /** Output that nobody has read is no reason to keep anything but itself. */
  endInput(): void {
    this.#stdin?.close();
    this.#stdin = undefined;
    this.#closeTerminal();
    this.#wakeWriters();
    this.#done();
    this.#done = () => {};
  }

  release(): void {}

  /** A terminal's master is closed when its output has ended and nobody writes to it any more. */
  #closeTerminal(): void {
    if (this.#terminal === undefined || this.#stdout?.isOpen || this.#stdin?.open) return;
    sys.close(this.#terminal);
    this.#terminal = undefined;
  }

  readStdout(read: ReadOutput, call: Call): Promise<Uint8Array | PipeTail> {
    return this.#read(this.#stdout, read, call);
  }

  readStderr(read: ReadOutput, call: Call): Promise<Uint8Array | PipeTail> {
    return this.#read(this.#stderr, read, call);
  }

  async #read(
    output: PulledOutput | undefined,
    read: ReadOutput,
    call: Call,
  ): Promise<Uint8Array | PipeTail> {
    if (!output) throw endOfOutput();
    return output.read(read, call);
  }

  /** Gives bytes to the process; resolves when it has them, but for a few that wait. @throws TtrpcError when it takes none */
  async writeStdin(data: Uint8Array, call: Call): Promise<void> {
    const stdin = this.#stdin;
    if (!stdin?.open) throw inputClosed();
    if (this.#writers.size >= MAX_WRITERS)
      throw new TtrpcError(
        StatusCode.RESOURCE_EXHAUSTED,
        `${MAX_WRITERS} calls wait for the process to read`,
      );
    // An empty piece would mean the end.
    if (data.length > 0) stdin.takeInput(data);
    if (!stdin.open) throw inputClosed();
    while (stdin.inputFull) await this.#awaitRoom(call);
  }

  #awaitRoom(call: Call): Promise<void> {
    return new Promise((resolve) => {
      this.#writers.add(resolve);
      call.onAbandoned(() => this.#writers.delete(resolve));
    });
  }

  #wakeWriters(): void {
    const writers = [...this.#writers];
    this.#writers.clear();
    for (const wake of writers) wake();
  }

  /** Ends the input when the process has taken all. A terminal has no end but the character that says so. */
  closeStdin(): void {
    this.#stdin?.takeInput(new Uint8Array());
  }

  /** whether there is output that has not been read to its end, or whose reader may come back for more than that */
  get hasUnread(): boolean {
    return [this.#stdout, this.#stderr].some((output) => output?.isWanted);
  }

  /** Lets go of all, read or not. */
  close(): void {
    this.#stdin?.close();
    this.#stdout?.forget();
    this.#stderr?.forget();
    this.#closeTerminal();
    this.#wakeWriters();
  }
}

function inputClosed(): TtrpcError {
  return new TtrpcError(StatusCode.FAILED_PRECONDITION, "the process takes no more input");
}
