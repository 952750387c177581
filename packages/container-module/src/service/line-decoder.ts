import { ServiceProtocolError } from "./protocol-error.ts";

const NEWLINE = 10;

/** Cuts bytes into lines of text; it never holds more than one line. */
export class LineDecoder {
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(0);
  /** bytes of the buffer that are part of a line */
  #bytes = 0;

  /** @param maxBytes longest line, its newline not counted */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of a line that has not ended. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /**
   * Takes bytes, and gives the lines that end in them one after the other.
   * @throws ServiceProtocolError for a line that is too long or is not UTF-8; nothing can be read after that
   */
  *push(chunk: Uint8Array): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      start = end + 1;
      yield this.#take();
    }
    this.#keep(chunk.subarray(start));
  }

  /** Copies, into room that doubles: a line that comes byte by byte must cost no more than its length. */
  #keep(piece: Uint8Array): void {
    const bytes = this.#bytes + piece.length;
    if (bytes > this.#maxBytes)
      throw new ServiceProtocolError(`a line has more than ${this.#maxBytes} bytes`);
    if (bytes > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(bytes, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#bytes);
    this.#bytes = bytes;
  }

  #take(): string {
    const line = this.#buffer.subarray(0, this.#bytes);
    this.#buffer = Buffer.alloc(0);
    this.#bytes = 0;
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
    } catch {
      throw new ServiceProtocolError("a line is not UTF-8");
    }
  }
}
