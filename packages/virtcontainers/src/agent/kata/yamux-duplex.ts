import { Duplex } from "node:stream";
import type { YamuxStream } from "@husk/wire/yamux";

/** A write that the stream has not taken all of. */
interface PendingWrite {
  readonly chunk: Uint8Array;
  written: number;
  readonly done: () => void;
}

/** A stream of yamux as one of Node's. Its window is what the peer may send before it is read. */
export class YamuxDuplex extends Duplex {
  readonly #stream: YamuxStream;
  #pending: PendingWrite | undefined;
  /** bytes that were handed out and are not told to the peer as used */
  #unconsumed = 0;
  #ended = false;

  constructor(stream: YamuxStream) {
    super({ allowHalfOpen: false });
    this.#stream = stream;
  }

  override _read(): void {
    this.#consume();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#pending = { chunk, written: 0, done };
    this.takeRoom();
  }

  override _final(done: () => void): void {
    this.#stream.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#ended || this.#stream.writable) this.#stream.reset();
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.done();
    done(error);
  }

  takeData(data: Uint8Array): void {
    this.#unconsumed += data.length;
    // The socket's chunks are their reader's own, so a view of one may stay.
    if (this.push(Buffer.from(data.buffer, data.byteOffset, data.length))) this.#consume();
  }

  takeEnd(): void {
    this.#ended = true;
    this.push(null);
  }

  takeReset(): void {
    this.destroy();
  }

  /** The peer, or the socket, takes bytes again. */
  takeRoom(): void {
    const pending = this.#pending;
    if (!pending || !this.#stream.writable) return;
    pending.written += this.#stream.write(pending.chunk, pending.written);
    if (pending.written < pending.chunk.length) return;
    this.#pending = undefined;
    pending.done();
  }

  #consume(): void {
    if (this.#unconsumed === 0 || this.destroyed) return;
    const bytes = this.#unconsumed;
    this.#unconsumed = 0;
    this.#stream.consume(bytes);
  }
}
