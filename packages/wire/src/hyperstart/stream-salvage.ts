import { readU32 } from "../big-endian.ts";
import { MAX_STREAM_FRAME_BYTES, STREAM_HEADER_BYTES } from "./limits.ts";
import { StreamResync } from "./resync.ts";

/** Headers in a row, each where the one before says, that are taken for frames. */
const SURE_HEADERS = 3;
/** Bytes in which they must be found: what is left of one frame, and those headers. */
const SEARCH_BYTES = (SURE_HEADERS + 1) * MAX_STREAM_FRAME_BYTES;

/**
 * Takes up a stream channel like {@link StreamResync}, but keeps what comes before the marker, from the first frame on that is
 * whole: it is output that nobody has had. Where frames begin is guessed by their headers, so a process could make some of
 * its own output look as if it were another's of its pod.
 */
export class StreamSalvage {
  readonly #isKnown: (seq: number) => boolean;
  readonly #resync: StreamResync;
  readonly #markerSeq: number;
  #kept: Uint8Array | undefined = new Uint8Array(0);

  /** `isKnown`: whether a number may be a stream's */
  constructor(marker: Uint8Array, isKnown: (seq: number) => boolean) {
    this.#isKnown = isKnown;
    this.#resync = new StreamResync(marker);
    this.#markerSeq = readSeq(marker, 0);
  }

  /** @returns the bytes from the first frame on; undefined: it has not come yet */
  push(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#kept) {
      const kept = new Uint8Array(this.#kept.length + chunk.length);
      kept.set(this.#kept);
      kept.set(chunk, this.#kept.length);
      const start = this.#findFrames(kept);
      if (start !== undefined) return kept.subarray(start);
      // Too long for what it should be: the marker will tell.
      this.#kept = kept.length < SEARCH_BYTES ? kept : undefined;
    }
    return this.#resync.push(chunk);
  }

  #findFrames(bytes: Uint8Array): number | undefined {
    const last = Math.min(bytes.length - STREAM_HEADER_BYTES, MAX_STREAM_FRAME_BYTES);
    for (let start = 0; start <= last; start++) if (this.#areFrames(bytes, start)) return start;
    return undefined;
  }

  #areFrames(bytes: Uint8Array, start: number): boolean {
    for (let at = start, found = 1; at + STREAM_HEADER_BYTES <= bytes.length; found++) {
      const seq = readSeq(bytes, at);
      const length = readU32(bytes, at + 8);
      if (seq === this.#markerSeq) return length === STREAM_HEADER_BYTES;
      if (!this.#isKnown(seq) || length < STREAM_HEADER_BYTES || length > MAX_STREAM_FRAME_BYTES)
        return false;
      if (found === SURE_HEADERS) return true;
      at += length;
    }
    return false;
  }
}

function readSeq(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset) * 2 ** 32 + readU32(bytes, offset + 4);
}
