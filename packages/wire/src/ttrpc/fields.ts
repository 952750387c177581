/**
 * Protobuf's fields, as far as ttrpc's two envelopes need them: the messages inside are others' concern.
 *
 * Wire layout: a field is a varint (number * 8 + wire type), then by the type a varint, 8 bytes, a varint length and
 * its bytes, or 4 bytes.
 */
const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5];

/** Longest varint in bytes: 64 bits in groups of 7. */
const MAX_VARINT_BYTES = 10;

const U32_RANGE = 2 ** 32;

/** Bytes that are no protobuf message, or not the one expected. */
export class FieldError extends Error {
  override readonly name = "FieldError";
}

/** Reads the fields of one message, one after the other. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #wireType = 0;
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The number of the next field, or 0 at the end. Its value is read, or skipped, before the next. */
  next(): number {
    if (this.#at >= this.#bytes.length) return 0;
    this.#readVarint();
    this.#wireType = this.#low & 7;
    const field = this.#low >>> 3;
    if (field === 0 || this.#high !== 0) throw new FieldError("a field has no valid number");
    return field;
  }

  /** A signed number of 64 bits; beyond 2^53 the nearest that there is. */
  int64(): number {
    this.#expect(VARINT);
    this.#readVarint();
    return this.#high * U32_RANGE + (this.#low >>> 0);
  }

  /** A signed number of 32 bits. */
  int32(): number {
    this.#expect(VARINT);
    this.#readVarint();
    return this.#low;
  }

  /** Bytes, as a view. */
  bytes(): Uint8Array {
    this.#expect(LENGTH);
    return this.#take(this.#readLength());
  }

  skip(): void {
    if (this.#wireType === VARINT) this.#readVarint();
    else if (this.#wireType === FIXED64) this.#take(8);
    else if (this.#wireType === LENGTH) this.#take(this.#readLength());
    else if (this.#wireType === FIXED32) this.#take(4);
    else throw new FieldError(`a field has wire type ${this.#wireType}`);
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw new FieldError(`a field has wire type ${this.#wireType}`);
  }

  #readLength(): number {
    this.#readVarint();
    return this.#high === 0 ? this.#low >>> 0 : Number.POSITIVE_INFINITY;
  }

  #take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw new FieldError("a field is longer than its message");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  /** Reads 64 bits into two halves, both signed: QuickJS's numbers and Node's alike. */
  #readVarint(): void {
    this.#low = 0;
    this.#high = 0;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at += 1;
      const bits = byte & 0x7f;
      if (count < 5) this.#low |= bits << (7 * count);
      if (count === 4) this.#high = bits >>> 4;
      if (count > 4) this.#high |= bits << (7 * count - 32);
      if (byte < 0x80) return;
    }
    throw new FieldError("a number does not end");
  }
}

/** Writes the fields of one message. */
export class FieldWriter {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  /** Bytes, kept until `finish` and not copied before; none are left out. */
  bytes(field: number, value: Uint8Array): this {
    return value.length > 0 ? this.message(field, value) : this;
  }

  /** Bytes of a message, which count even if there are none; `tailBytes` of them come behind all that is written here. */
  message(field: number, value: Uint8Array, tailBytes = 0): this {
    this.#add(Uint8Array.from([...varint(field * 8 + LENGTH), ...varint(value.length + tailBytes)]));
    this.#add(value);
    return this;
  }

  /** A text; an empty one is left out. */
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** A whole number from 0 to 2^53 − 1; 0 is left out. */
  number(field: number, value: number): this {
    if (value !== 0) this.#add(Uint8Array.from([...varint(field * 8 + VARINT), ...varint(value)]));
    return this;
  }

  /** The message behind `headroom` bytes that are 0. */
  finish(headroom = 0): Uint8Array {
    const bytes = new Uint8Array(headroom + this.#size);
    let at = headroom;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#size += part.length;
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  // No shifts: they see 32 bits only.
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}
