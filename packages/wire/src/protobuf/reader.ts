import { ProtobufError, type ProtobufErrorCode } from "./protobuf-error.ts";
import { MAX_FIELD_NUMBER, MAX_VARINT_BYTES, WireType } from "./wire-type.ts";

/**
 * Reads the parts of a message:
 *
 *     message = { tag value }
 *     tag     = varint: field's number << 3 | wire type
 *     value   = varint | 8 bytes | length (varint) and as many bytes | 4 bytes, by the wire type 0, 1, 2, 5
 *     varint  = 1 to 10 bytes, seven bits each, the lowest first; the top bit says that more come
 *
 * Nothing is read beyond the innermost message's end.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #end: number;
  #elementsLeft: number;
  /** lower and upper 32 bits of the varint read last, unsigned; no pair is made for each */
  #low = 0;
  #high = 0;
  #text: InstanceType<typeof TextDecoder> | undefined;
  /** the message's name, and the fields that lead to where it is being read */
  readonly #path: string[];

  constructor(bytes: Uint8Array, name: string, maxElements: number) {
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#path = [name];
    this.#elementsLeft = maxElements;
  }

  /** offset of the next byte */
  get at(): number {
    return this.#at;
  }

  /** Whether the innermost message has been read. */
  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The error for what has just been read. */
  error(code: ProtobufErrorCode, problem: string): ProtobufError {
    return new ProtobufError(code, this.#path.join("."), problem);
  }

  /** Notes that what follows belongs to a field. */
  enterField(name: string): void {
    this.#path.push(name);
  }

  leaveField(): void {
    this.#path.pop();
  }

  /** Counts elements of a list or a map, or runs of unknown fields. @throws ProtobufError when there are too many. */
  countElements(count: number): void {
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) throw this.error("ERR_PROTOBUF_LIMIT", "there are too many elements");
  }

  /** Reads a length, and makes the bytes that it counts all there is, until {@link leave} is given what this returns. */
  enter(): number {
    const length = this.#readLength();
    const outer = this.#end;
    this.#end = this.#at + length;
    return outer;
  }

  leave(outer: number): void {
    this.#end = outer;
  }

  /** A tag, as an unsigned number. */
  tag(): number {
    this.#readVarint();
    const number = this.#low >>> 3;
    if (this.#high !== 0 || number === 0 || number > MAX_FIELD_NUMBER) {
      throw this.error("ERR_PROTOBUF_TAG", "a field has a number that no field can have");
    }
    return this.#low;
  }

  uint32(): number {
    this.#readVarint();
    return this.#low;
  }

  int32(): number {
    this.#readVarint();
    return this.#low | 0;
  }

  bool(): boolean {
    this.#readVarint();
    return this.#low !== 0 || this.#high !== 0;
  }

  uint64(): bigint {
    this.#readVarint();
    return this.#high === 0 ? BigInt(this.#low) : (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  /** A view of the message's memory. */
  bytes(): Uint8Array {
    const length = this.#readLength();
    this.#at += length;
    return this.view(this.#at - length, this.#at);
  }

  string(): string {
    const bytes = this.bytes();
    if (bytes.length === 0) return "";
    try {
      this.#text ??= new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      return this.#text.decode(bytes);
    } catch {
      throw this.error("ERR_PROTOBUF_TEXT", "a text is not UTF-8");
    }
  }

  /** Passes over a value. */
  skip(wireType: number): void {
    if (wireType === WireType.VARINT) this.#readVarint();
    else if (wireType === WireType.FIXED64) this.#pass(8);
    else if (wireType === WireType.LENGTH) this.#pass(this.#readLength());
    else if (wireType === WireType.FIXED32) this.#pass(4);
    else throw this.error("ERR_PROTOBUF_TAG", `a field has the wire type ${wireType}, which proto3 has not`);
  }

  /** The bytes between two offsets, in the message's memory. */
  view(start: number, end: number): Uint8Array {
    // Not subarray: that of a Buffer is a Buffer.
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start);
  }

  #pass(length: number): void {
    if (length > this.#end - this.#at) {
      throw this.error("ERR_PROTOBUF_TRUNCATED", "a value leads beyond the end of its message");
    }
    this.#at += length;
  }

  #readLength(): number {
    this.#readVarint();
    if (this.#high !== 0 || this.#low > this.#end - this.#at) {
      throw this.error("ERR_PROTOBUF_TRUNCATED", "a length leads beyond the end of its message");
    }
    return this.#low;
  }

  /** Reads a varint into `#low` and `#high`; bits beyond 64 are dropped. Most are of one byte. */
  #readVarint(): void {
    const first = this.#bytes[this.#at] ?? 0;
    if (first < 0x80 && this.#at < this.#end) {
      this.#at++;
      this.#low = first;
      this.#high = 0;
    } else this.#readLongVarint();
  }

  #readLongVarint(): void {
    let low = 0;
    let high = 0;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      if (this.#at >= this.#end) {
        throw this.error("ERR_PROTOBUF_TRUNCATED", "a number leads beyond the end of its message");
      }
      const byte = this.#bytes[this.#at++] ?? 0;
      const bits = byte & 0x7f;
      if (count < 4) low |= bits << (7 * count);
      else if (count > 4) high |= bits << (7 * count - 32);
      else {
        low |= bits << 28;
        high |= bits >>> 4;
      }
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw this.error("ERR_PROTOBUF_VARINT", "a number is longer than ten bytes");
  }
}
