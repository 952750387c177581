import { readU32 } from "../big-endian.ts";
import { FrameError } from "./frame-error.ts";
import { MAX_STREAM_FRAME_BYTES, MAX_STREAM_SEQ, STREAM_HEADER_BYTES } from "./limits.ts";

/**
 * Takes a piece of a stream; none is the end of the output, or of the input. It is a view of the pushed chunk: all that lies
 * before it there has been used up.
 */
export type PieceSink = (seq: number, data: Uint8Array) => void;

const NOTHING = new Uint8Array(0);

/**
 * Decoder of the stream channel for who passes data on: frames are not put together, their data are given as they come.
 * Nothing is kept but a header that came in pieces.
 */
export class StreamPieces {
  readonly #sink: PieceSink;
  readonly #header = new Uint8Array(STREAM_HEADER_BYTES);
  #headerBytes = 0;
  #seq = 0;
  /** bytes of the frame under way that are still to come */
  #left = 0;

  constructor(sink: PieceSink) {
    this.#sink = sink;
  }

  /**
   * Takes the next bytes, in pieces of any size. Frames whose number is above 2^53 − 1 are left out.
   * @throws FrameError ERR_FRAME_LENGTH at a bad length; nothing is to be pushed then
   */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; )
      at = this.#left > 0 ? this.#give(chunk, at) : this.#begin(chunk, at);
  }

  #give(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    this.#left -= end - at;
    if (this.#seq <= MAX_STREAM_SEQ) this.#sink(this.#seq, chunk.subarray(at, end));
    return end;
  }

  #begin(chunk: Uint8Array, at: number): number {
    if (this.#headerBytes === 0 && at + STREAM_HEADER_BYTES <= chunk.length) {
      this.#readHeader(chunk, at);
      return at + STREAM_HEADER_BYTES;
    }
    const end = Math.min(chunk.length, at + STREAM_HEADER_BYTES - this.#headerBytes);
    this.#header.set(chunk.subarray(at, end), this.#headerBytes);
    this.#headerBytes += end - at;
    if (this.#headerBytes < STREAM_HEADER_BYTES) return end;
    this.#headerBytes = 0;
    this.#readHeader(this.#header, 0);
    return end;
  }

  #readHeader(bytes: Uint8Array, at: number): void {
    const length = readU32(bytes, at + 8);
    if (length < STREAM_HEADER_BYTES || length > MAX_STREAM_FRAME_BYTES)
      throw new FrameError("ERR_FRAME_LENGTH", `a frame claims ${length} bytes`);
    this.#seq = readU32(bytes, at) * 2 ** 32 + readU32(bytes, at + 4);
    this.#left = length - STREAM_HEADER_BYTES;
    if (this.#left === 0 && this.#seq <= MAX_STREAM_SEQ) this.#sink(this.#seq, NOTHING);
  }
}
