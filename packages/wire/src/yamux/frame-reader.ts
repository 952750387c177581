import type { FrameHeader } from "./frame.ts";
import { decodeHeader, FrameType } from "./frame.ts";
import { HEADER_BYTES } from "./limits.ts";

/** A header, or data of the data frame whose header came last. */
export type FramePart =
  | { kind: "header"; header: FrameHeader }
  | {
      kind: "data";
      /** view of the chunk, never empty */
      data: Uint8Array;
      /** true when the frame is complete with them */
      last: boolean;
    };

/**
 * Cuts a byte stream into headers and data. Data are handed out as they come, so whatever a length claims, no more
 * than a part of a header is ever held.
 */
export class FrameReader {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #dataLeft = 0;

  /**
   * Gives the parts of a chunk, one at a time: a caller that does not like a header stops there. Whoever stops must
   * not read on.
   */
  *read(chunk: Uint8Array): Generator<FramePart, void> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#dataLeft > 0) {
        const data = chunk.subarray(at, at + this.#dataLeft);
        at += data.length;
        this.#dataLeft -= data.length;
        yield { kind: "data", data, last: this.#dataLeft === 0 };
      } else {
        const piece = chunk.subarray(at, at + HEADER_BYTES - this.#headerBytes);
        this.#header.set(piece, this.#headerBytes);
        at += piece.length;
        this.#headerBytes += piece.length;
        if (this.#headerBytes < HEADER_BYTES) return;
        this.#headerBytes = 0;
        const header = decodeHeader(this.#header);
        if (header.type === FrameType.DATA) this.#dataLeft = header.length;
        yield { kind: "header", header };
      }
    }
  }
}
