/** Bytes on their way out of a non-blocking descriptor. */
import * as sys from "tiny:sys";

/**
 * Writes in order, keeping what the descriptor does not take yet. The owner of the descriptor's watch calls
 * {@link flush} when it is writable; producers ask {@link blocked} before they produce more, so that what is kept stays
 * small.
 */
export class Output {
  readonly fd: number;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  /** bytes of the first kept chunk that are written already */
  #written = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** True while bytes are waiting for the descriptor. */
  get blocked(): boolean {
    return this.#kept.length > 0;
  }

  /** Bytes that are waiting. */
  get keptBytes(): number {
    return this.#keptBytes - this.#written;
  }

  /** Writes `buffer[offset, offset + length)`. The buffer may be used again at once: what must wait is copied. */
  write(buffer: Uint8Array, offset = 0, length = buffer.length - offset): void {
    let at = offset;
    const end = offset + length;
    if (!this.blocked) {
      while (at < end) {
        const count = sys.write(this.fd, buffer, at, end - at);
        if (count < 0) break;
        at += count;
      }
    }
    if (at < end) {
      this.#kept.push(buffer.slice(at, end));
      this.#keptBytes += end - at;
    }
  }

  /** Writes what is kept, as far as the descriptor takes it. True when nothing is left. */
  flush(): boolean {
    for (let chunk = this.#kept[0]; chunk; chunk = this.#kept[0]) {
      const count = sys.write(this.fd, chunk, this.#written, chunk.length - this.#written);
      if (count < 0) return false;
      this.#written += count;
      if (this.#written < chunk.length) continue;
      this.#kept.shift();
      this.#keptBytes -= chunk.length;
      this.#written = 0;
    }
    return true;
  }

  /** Forgets what is kept. */
  discard(): void {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#written = 0;
  }
}
