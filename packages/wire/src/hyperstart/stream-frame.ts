import { readU32, writeU32 } from "../big-endian.ts";
import { FrameSplitter } from "./frame-splitter.ts";
import { MAX_STREAM_FRAME_BYTES, MAX_STREAM_SEQ, MAX_U32, STREAM_HEADER_BYTES } from "./limits.ts";

/** One piece of a process's input or output. */
export interface StreamFrame {
  /** stream sequence number, chosen by the host; 0 means none and names no stream */
  seq: number;
  /**
   * raw bytes; none means end of output (guest → host) or close stdin (host → guest). A view of the pushed
   * chunk where the frame lies inside one: use or copy it before that chunk's memory is reused
   */
  data: Uint8Array;
}

/** What 2^32 stands for in the upper half of a u64. */
const U32_RANGE = 2 ** 32;

/**
 * Decoder of the stream channel, for either side.
 *
 * Wire layout: u64 stream sequence, u32 total length including these 12 bytes, data; all big endian.
 */
export class StreamDecoder {
  readonly #splitter: FrameSplitter<StreamFrame>;
  #skippedFrames = 0;

  /** `maxFrameBytes`: longest frame taken, header included; 64 KiB of data by default. */
  constructor(options: { maxFrameBytes?: number } = {}) {
    const { maxFrameBytes = MAX_STREAM_FRAME_BYTES } = options;
    const readLength = (bytes: Uint8Array, start: number) => readU32(bytes, start + 8);
    const shape = { headerBytes: STREAM_HEADER_BYTES, maxFrameBytes, readLength };
    this.#splitter = new FrameSplitter(shape, (bytes, start, end) => {
      const seq = readU32(bytes, start) * U32_RANGE + readU32(bytes, start + 4);
      if (seq > MAX_STREAM_SEQ) {
        this.#skippedFrames += 1;
        return undefined;
      }
      return { seq, data: bytes.subarray(start + STREAM_HEADER_BYTES, end) };
    });
  }

  /** frames left out since construction because their sequence number is above 2^53 − 1 */
  get skippedFrames(): number {
    return this.#skippedFrames;
  }

  /** bytes held of a frame that is not complete yet */
  get pendingBytes(): number {
    return this.#splitter.pendingBytes;
  }

  /**
   * Takes the next bytes, in pieces of any size, and gives the frames they complete. Their `data` are views of
   * the chunk, except for a frame that began in an earlier one, which gets memory of its own.
   * @throws FrameError with `code` ERR_FRAME_LENGTH at a bad length; its `frames` are the complete ones before
   *   it. Then ERR_FRAME_STOPPED at every push until `reset()`.
   */
  push(chunk: Uint8Array): StreamFrame[] {
    return this.#splitter.push(chunk);
  }

  /** Drops a frame begun and takes bytes again, as for a new connection. `skippedFrames` stays. */
  reset(): void {
    this.#splitter.reset();
  }
}

/**
 * Encodes one stream frame; without data, the one that ends a stream. A host keeps to
 * HOST_STREAM_FRAME_BYTES and one `write` per frame.
 * @throws RangeError as {@link writeStreamHeader} does.
 */
export function encodeStream(seq: number, data?: Uint8Array): Uint8Array {
  const dataBytes = data?.length ?? 0;
  const frame = new Uint8Array(STREAM_HEADER_BYTES + dataBytes);
  writeStreamHeader(frame, seq, dataBytes);
  if (data) frame.set(data, STREAM_HEADER_BYTES);
  return frame;
}

/**
 * Writes a frame's 12-byte header at an offset of a buffer, for data already standing behind it.
 * @throws RangeError when `seq` is not an integer from 0 to 2^53 − 1, the data are too long for the u32 length,
 *   or the header does not fit into `target`.
 */
export function writeStreamHeader(target: Uint8Array, seq: number, dataBytes: number, offset = 0): void {
  if (!Number.isSafeInteger(seq) || seq < 0) {
    throw new RangeError("a stream sequence number is an integer from 0 to 2^53 - 1");
  }
  if (!Number.isInteger(dataBytes) || dataBytes < 0 || dataBytes > MAX_U32 - STREAM_HEADER_BYTES) {
    throw new RangeError("the data are too long for a stream frame");
  }
  if (!(offset >= 0 && offset + STREAM_HEADER_BYTES <= target.length)) {
    throw new RangeError("no room for a stream header at this offset");
  }
  writeU32(target, offset, Math.floor(seq / U32_RANGE));
  writeU32(target, offset + 4, seq >>> 0);
  writeU32(target, offset + 8, STREAM_HEADER_BYTES + dataBytes);
}
