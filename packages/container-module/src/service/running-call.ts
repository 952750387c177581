import type { TerminalSize } from "../types.ts";
import { CallInput } from "./call-input.ts";
import type { OutputName, ServiceMessage } from "./messages.ts";

/** Most bytes of output in one message. */
const OUTPUT_PIECE_BYTES = 64 * 1024;

/** Sends a message; settles when the client can take more. */
export type Send = (message: ServiceMessage) => Promise<void>;

/** A call that is being answered. */
export class RunningCall {
  readonly id: number;
  /** what the client sends to the process that the call runs */
  readonly input: CallInput;
  readonly #controller = new AbortController();
  readonly #send: Send;
  #size: TerminalSize | undefined;
  #onResize: ((size: TerminalSize) => void) | undefined;

  constructor(id: number, send: Send) {
    this.id = id;
    this.#send = send;
    this.input = new CallInput((bytes) => void send({ kind: "taken", id, bytes }));
    // It may be destroyed by who reads it; nobody else has to know.
    this.input.on("error", () => {});
  }

  /** Fires when the client wants no answer any more, or is gone. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Has the sizes of a terminal told, from the last one on that has come by now. */
  onResize(listener: (size: TerminalSize) => void): void {
    this.#onResize = listener;
    if (this.#size) listener(this.#size);
  }

  /** The client's terminal has that size. */
  resize(size: TerminalSize): void {
    this.#size = size;
    this.#onResize?.(size);
  }

  abort(): void {
    this.#controller.abort();
    this.input.destroy();
  }

  /** Says that what the call is about has begun. */
  tellStarted(): void {
    void this.#send({ kind: "started", id: this.id });
  }

  /** Sends output, no faster than the client takes it. */
  async writeOutput(stream: OutputName, data: Uint8Array): Promise<void> {
    for (let start = 0; start < data.length; start += OUTPUT_PIECE_BYTES) {
      if (this.signal.aborted) return;
      const piece = data.subarray(start, start + OUTPUT_PIECE_BYTES);
      await this.#send({ kind: "output", id: this.id, stream, data: piece });
    }
  }
}
