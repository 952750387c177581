import type { TtrpcFrame, TtrpcHeader } from "./frame.ts";
import { decodeHeader } from "./frame.ts";
import { HEADER_BYTES, MAX_MESSAGE_BYTES, RESERVED_LENGTH } from "./limits.ts";
import { TtrpcProtocolError } from "./protocol-error.ts";

/** Smallest buffer for a message that comes in pieces, in bytes. */
const MIN_BUFFER_BYTES = 512;

/** Bytes after which the rest of a message gets its room at once. */
const BELIEVED_BYTES = 64 * 1024;

/**
 * Cuts a byte stream into messages, whatever the pieces it arrives in. A message's data get memory of their own, which
 * grows as bytes arrive and never by what a length claims.
 */
export class TtrpcDecoder {
  readonly #maxMessageBytes: number;
  readonly #headerBytes = new Uint8Array(HEADER_BYTES);
  /** bytes of the header that came */
  #headerFill = 0;
  /** header of the message whose data are arriving */
  #header: TtrpcHeader | undefined;
  #data = new Uint8Array(0);
  /** bytes of the data that came */
  #dataFill = 0;
  /** bytes to drop of a message that is too long */
  #dropLeft = 0;
  #stopped = false;

  /** `maxMessageBytes`: longest message taken, header not counted; 4 MiB by default. */
  constructor(options: { maxMessageBytes?: number } = {}) {
    this.#maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  }

  /** bytes held of a message that is not complete yet */
  get pendingBytes(): number {
    return this.#headerFill + this.#dataFill;
  }

  /**
   * Takes the next bytes and gives the messages they complete, of those that are too long the headers. The chunk may be
   * reused afterwards.
   * @throws TtrpcProtocolError at a length whose first byte is not 0; its `frames` are those before, and the header.
   *   Then at every push.
   */
  push(chunk: Uint8Array): TtrpcFrame[] {
    if (this.#stopped) throw new TtrpcProtocolError("the connection was lost before these bytes");
    const frames: TtrpcFrame[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (this.#dropLeft > 0) {
        const dropped = Math.min(this.#dropLeft, chunk.length - at);
        this.#dropLeft -= dropped;
        at += dropped;
      } else if (this.#header) at += this.#takeData(chunk, at, this.#header, frames);
      else at += this.#takeHeader(chunk, at, frames);
    }
    return frames;
  }

  #takeHeader(chunk: Uint8Array, at: number, frames: TtrpcFrame[]): number {
    const piece = chunk.subarray(at, at + HEADER_BYTES - this.#headerFill);
    this.#headerBytes.set(piece, this.#headerFill);
    this.#headerFill += piece.length;
    if (this.#headerFill < HEADER_BYTES) return piece.length;
    this.#headerFill = 0;
    const header = decodeHeader(this.#headerBytes, 0);
    if (header.length > this.#maxMessageBytes) this.#drop(header, frames);
    else if (header.length === 0) frames.push({ ...header, data: new Uint8Array(0) });
    else this.#header = header;
    return piece.length;
  }

  #drop(header: TtrpcHeader, frames: TtrpcFrame[]): void {
    frames.push({ ...header, data: undefined });
    this.#dropLeft = header.length;
    if (header.length < RESERVED_LENGTH) return;
    this.#stopped = true;
    throw new TtrpcProtocolError(`a message claims ${header.length} bytes`, frames);
  }

  #takeData(chunk: Uint8Array, at: number, header: TtrpcHeader, frames: TtrpcFrame[]): number {
    const piece = chunk.subarray(at, at + header.length - this.#dataFill);
    const fill = this.#dataFill + piece.length;
    if (fill > this.#data.length) this.#grow(fill, header.length);
    this.#data.set(piece, this.#dataFill);
    this.#dataFill = fill;
    if (fill < header.length) return piece.length;
    frames.push({ ...header, data: this.#data });
    this.#header = undefined;
    this.#data = new Uint8Array(0);
    this.#dataFill = 0;
    return piece.length;
  }

  /** Room for `needed` bytes, and for more to come, but never for more than `total`. */
  #grow(needed: number, total: number): void {
    // What has sent so much is believed, within the bound that a message has anyway.
    const roomy =
      needed >= BELIEVED_BYTES ? total : Math.max(needed, this.#data.length * 2, MIN_BUFFER_BYTES);
    const larger = new Uint8Array(Math.min(roomy, total));
    larger.set(this.#data.subarray(0, this.#dataFill));
    this.#data = larger;
  }
}
