import { FrameError } from "./frame-error.ts";

/** Smallest buffer for a frame that came in pieces, in bytes. */
const MIN_BUFFER_BYTES = 512;

/** How a protocol's frames tell their length. */
export interface FrameShape {
  /** header size in bytes */
  headerBytes: number;
  /** longest frame taken, header included, in bytes */
  maxFrameBytes: number;
  /** The total length that the header at an offset claims, in bytes. Throws FrameError when it is no header. */
  readLength(bytes: Uint8Array, start: number): number;
}

/**
 * Cuts a byte stream into frames, whatever the pieces it arrives in. A frame inside one chunk is handed out
 * in place; one that came in pieces is put together in a buffer of its own, which grows as bytes arrive and
 * never by what a length field claims.
 */
export class FrameSplitter<Frame> {
  readonly #shape: FrameShape;
  readonly #decode: (bytes: Uint8Array, start: number, end: number) => Frame | undefined;
  #pending = new Uint8Array(0);
  #pendingBytes = 0;
  #stopped = false;

  /** `decode` makes a frame out of `bytes[start..end)`, or returns undefined to leave it out. */
  constructor(
    shape: FrameShape,
    decode: (bytes: Uint8Array, start: number, end: number) => Frame | undefined,
  ) {
    if (!(shape.maxFrameBytes >= shape.headerBytes)) {
      throw new RangeError(`maxFrameBytes must be at least ${shape.headerBytes}`);
    }
    this.#shape = shape;
    this.#decode = decode;
  }

  /** bytes held of a frame that is not complete yet */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Drops the frame begun, and takes bytes again after a FrameError. */
  reset(): void {
    this.#pending = new Uint8Array(0);
    this.#pendingBytes = 0;
    this.#stopped = false;
  }

  /** Takes the next bytes and gives the frames they complete. Throws FrameError. */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    if (this.#stopped) throw new FrameError("ERR_FRAME_STOPPED", "the channel was lost before these bytes");
    let at = this.#pendingBytes > 0 ? this.#finishPending(chunk, frames) : 0;
    const { headerBytes } = this.#shape;
    let total: number | undefined;
    while (chunk.length - at >= headerBytes) {
      total = this.#frameBytes(chunk, at, frames);
      if (at + total > chunk.length) break;
      this.#emit(chunk, at, at + total, frames);
      at += total;
      total = undefined;
    }
    if (at < chunk.length) this.#take(chunk, at, chunk.length - at, total);
    return frames;
  }

  /** Completes the frame begun in earlier chunks; gives the offset of the first byte not used. */
  #finishPending(chunk: Uint8Array, frames: Frame[]): number {
    const { headerBytes } = this.#shape;
    let at = 0;
    if (this.#pendingBytes < headerBytes) {
      at = this.#take(chunk, 0, headerBytes - this.#pendingBytes);
      if (this.#pendingBytes < headerBytes) return at;
    }
    const total = this.#frameBytes(this.#pending, 0, frames);
    at += this.#take(chunk, at, total - this.#pendingBytes, total);
    if (this.#pendingBytes < total) return at;
    // The frame may keep a view of this buffer, so it is given away, not used again.
    const whole = this.#pending;
    this.#pending = new Uint8Array(0);
    this.#pendingBytes = 0;
    this.#emit(whole, 0, total, frames);
    return at;
  }

  /**
   * Copies at most `count` bytes behind those held; gives how many there were.
   * @param total length of their frame, as soon as it is known: more room than that is never needed
   */
  #take(chunk: Uint8Array, at: number, count: number, total = this.#shape.maxFrameBytes): number {
    const taken = Math.min(count, chunk.length - at);
    const needed = this.#pendingBytes + taken;
    if (needed > this.#pending.length) {
      const larger = new Uint8Array(Math.min(Math.max(needed * 2, MIN_BUFFER_BYTES), total));
      larger.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = larger;
    }
    this.#pending.set(chunk.subarray(at, at + taken), this.#pendingBytes);
    this.#pendingBytes = needed;
    return taken;
  }

  #emit(bytes: Uint8Array, start: number, end: number, frames: Frame[]): void {
    const frame = this.#decode(bytes, start, end);
    if (frame !== undefined) frames.push(frame);
  }

  /** The checked total length of the frame whose header stands at an offset. */
  #frameBytes(bytes: Uint8Array, start: number, frames: Frame[]): number {
    const { headerBytes, maxFrameBytes } = this.#shape;
    const total = this.#readLength(bytes, start, frames);
    if (total >= headerBytes && total <= maxFrameBytes) return total;
    this.#stop();
    const problem = total < headerBytes ? `below its header of ${headerBytes}` : `above ${maxFrameBytes}`;
    throw new FrameError("ERR_FRAME_LENGTH", `a frame claims ${total} bytes, ${problem}`, frames);
  }

  #readLength(bytes: Uint8Array, start: number, frames: Frame[]): number {
    try {
      return this.#shape.readLength(bytes, start);
    } catch (error) {
      this.#stop();
      if (error instanceof FrameError) throw new FrameError(error.code, error.message, frames);
      throw error;
    }
  }

  #stop(): void {
    this.reset();
    this.#stopped = true;
  }
}
