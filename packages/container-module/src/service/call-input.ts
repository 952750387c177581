import { Readable } from "node:stream";
import { ServiceProtocolError } from "./protocol-error.ts";

/** Most input that a client may have sent and nobody has taken yet, in bytes. */
export const INPUT_WINDOW_BYTES = 256 * 1024;

/**
 * Input of a process that comes in messages. The client is told what has been taken and keeps within a window, so that the
 * connection is always read, and its end seen, whatever the process does.
 */
export class CallInput extends Readable {
  readonly #onTaken: (bytes: number) => void;
  #told = 0;
  #received = 0;

  constructor(onTaken: (bytes: number) => void) {
    super({ highWaterMark: INPUT_WINDOW_BYTES / 4 });
    this.#onTaken = onTaken;
  }

  /** @throws ServiceProtocolError when the client sends more than it may */
  receive(data: Uint8Array | undefined): void {
    if (this.destroyed || this.readableEnded) return;
    if (data === undefined) {
      this.push(null);
      return;
    }
    this.#received += data.length;
    if (this.#received - this.#told > INPUT_WINDOW_BYTES)
      throw new ServiceProtocolError(
        `more than ${INPUT_WINDOW_BYTES} bytes of input that were not taken yet`,
      );
    if (data.length > 0) this.push(data);
  }

  override _read(): void {
    const taken = this.#received - this.readableLength;
    if (taken === this.#told) return;
    const bytes = taken - this.#told;
    this.#told = taken;
    this.#onTaken(bytes);
  }
}
