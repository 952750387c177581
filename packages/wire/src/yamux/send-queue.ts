import type { YamuxStream } from "./stream.ts";

/** Bytes in a queue above which its producer should wait, unless told otherwise. */
const HIGH_WATER_BYTES = 1024 * 1024;

/**
 * What is to be written to a stream, in order, whatever its window. The owner of the session calls {@link flush} at the
 * stream's "writable" events. Nothing bounds what is put in: a producer stops when `push` gives false, a server by
 * taking no more requests.
 */
export class SendQueue {
  readonly #stream: YamuxStream;
  readonly #highWaterBytes: number;
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  /** bytes of the first chunk that are written */
  #written = 0;
  #ended = false;

  /** `highWaterBytes`: from how many bytes on `push` gives false; 1 MiB by default. */
  constructor(stream: YamuxStream, options: { highWaterBytes?: number } = {}) {
    this.#stream = stream;
    this.#highWaterBytes = options.highWaterBytes ?? HIGH_WATER_BYTES;
  }

  /** bytes that wait for the stream */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /**
   * Writes bytes, or keeps them, not a copy, until the stream takes them. False when the producer should wait until
   * `flush` gives true. After `end()` or a reset they are dropped.
   */
  push(bytes: Uint8Array): boolean {
    if (this.#ended || !this.#stream.writable) return false;
    this.#chunks.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#chunks.length === 1) this.flush();
    return this.#queuedBytes < this.#highWaterBytes;
  }

  /** Writes what the stream takes now. True when nothing waits. */
  flush(): boolean {
    if (!this.#stream.writable) this.#drop();
    let done = 0;
    for (const chunk of this.#chunks) {
      const count = this.#stream.write(chunk, this.#written);
      this.#written += count;
      this.#queuedBytes -= count;
      if (this.#written < chunk.length) break;
      this.#written = 0;
      done += 1;
    }
    this.#chunks.splice(0, done);
    if (this.#ended && this.#chunks.length === 0) this.#stream.close();
    return this.#chunks.length === 0;
  }

  /** Closes the stream's side when all that waits is written. */
  end(): void {
    this.#ended = true;
    this.flush();
  }

  #drop(): void {
    this.#chunks = [];
    this.#queuedBytes = 0;
    this.#written = 0;
  }
}
