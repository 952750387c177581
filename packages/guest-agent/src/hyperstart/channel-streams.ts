/** The streams of a process on hyperstart's stream channel: what it writes is sent as it comes. */

import * as sys from "tiny:sys";
import { OutputSource } from "../core/frame-writer.ts";
import type { ProcessStreams } from "../core/process-streams.ts";
import { Stdin } from "../core/stdin.ts";
import type { Stdio } from "../core/stdio.ts";
import type { StreamChannel } from "../core/stream-channel.ts";

/** See the head of the file. */
export class ChannelStreams implements ProcessStreams {
  readonly #channel: StreamChannel;
  readonly #stdio: number;
  readonly #stderr: number;
  #terminal: number | undefined;
  #stdin: Stdin | undefined;
  #openOutputs = 0;

  /**
   * @param stdio number of the stream of input and output
   * @param stderr number of the stream of errors, when they do not go to the terminal
   * @throws Error when another process has the first one
   */
  constructor(channel: StreamChannel, stdio: number, stderr: number) {
    if (channel.hasInput(stdio)) throw new Error(`stream ${stdio} is in use`);
    this.#channel = channel;
    this.#stdio = stdio;
    this.#stderr = stderr;
  }

  connect({ input, output, error, terminal }: Stdio, done: () => void): void {
    const isTerminal = terminal !== undefined;
    if (isTerminal) this.#terminal = input;
    const channel = this.#channel;
    this.#stdin = new Stdin(input, isTerminal, () => channel.resume());
    this.#channel.addInput(this.#stdio, this.#stdin);
    this.#addOutput(output, this.#stdio, done);
    if (error !== undefined) this.#addOutput(error, this.#stderr, done);
  }

  #addOutput(fd: number, seq: number, done: () => void): void {
    this.#openOutputs++;
    const isTerminal = fd === this.#terminal;
    const source = new OutputSource(fd, seq, !isTerminal, () => {
      // A terminal's master is also the input's; it goes when the process does.
      if (!isTerminal) sys.close(fd);
      this.#openOutputs--;
      if (this.#openOutputs === 0) done();
    });
    this.#channel.addSource(source, isTerminal ? () => this.#stdin?.flush() : undefined);
  }

  endInput(): void {
    this.#stdin?.close();
    this.#channel.resume();
  }

  release(): void {
    if (this.#terminal !== undefined) sys.close(this.#terminal);
    // Until here the host may not have known of the end: what it sent was dropped, not answered with an end.
    this.#channel.removeInput(this.#stdio);
    this.#channel.sendEnd(this.#stdio);
  }
}
