/** bytes that are encoded on their own; copies do not reach out of them */
const FRAGMENT_BYTES = 65536;
/** positions that are remembered of a fragment at most, and at least */
const MAX_TABLE = 16384;
const MIN_TABLE = 256;
/** bytes at a fragment's end in which no copy begins */
const MARGIN = 15;
/** bytes below which a fragment is one literal */
const MIN_FRAGMENT = 17;
const MULTIPLIER = 0x1e35a7bd;

/** Most bytes that so many plain bytes may take. */
export function maxSnappyLength(plainLength: number): number {
  return 32 + plainLength + Math.floor(plainLength / 6);
}

/**
 * Encodes bytes in snappy's raw format. Of the many encodings that a decoder takes, this gives the one of Go's and Rust's
 * encoders, because a block's address is the hash of what is made of it.
 */
export function encodeSnappy(plain: Uint8Array): Uint8Array {
  const writer = new Writer(plain);
  writer.putLength(plain.length);
  for (let start = 0; start < plain.length; start += FRAGMENT_BYTES) {
    encodeFragment(writer, plain.subarray(start, start + FRAGMENT_BYTES));
  }
  return writer.written();
}

function encodeFragment(writer: Writer, fragment: Uint8Array): void {
  if (fragment.length < MIN_FRAGMENT) {
    writer.putLiteral(fragment);
    return;
  }
  const finder = new MatchFinder(fragment);
  let emitted = 0;
  for (let match = finder.search(1); match; match = finder.search(match.end + 1)) {
    writer.putLiteral(fragment.subarray(emitted, match.start));
    let next: Match | undefined = match;
    while (next) {
      match = next;
      writer.putCopy(match.start - match.source, match.end - match.start);
      emitted = match.end;
      if (match.end >= finder.limit) break;
      next = finder.continueAt(match.end);
    }
    if (match.end >= finder.limit) break;
  }
  writer.putLiteral(fragment.subarray(emitted));
}

/** Bytes of a fragment that stand there already. */
interface Match {
  readonly start: number;
  readonly end: number;
  /** where the same bytes begin */
  readonly source: number;
}

/** Finds four bytes that stood before, by a table of where bytes of that hash were last. */
class MatchFinder {
  /** where no match begins any more */
  readonly limit: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #table: Uint16Array;
  readonly #shift: number;

  constructor(bytes: Uint8Array) {
    let bits = Math.log2(MIN_TABLE);
    while (2 ** bits < MAX_TABLE && 2 ** bits < bytes.length) bits += 1;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#table = new Uint16Array(2 ** bits);
    this.#shift = 32 - bits;
    this.limit = bytes.length - MARGIN;
  }

  /** Looks from a position on, in strides that grow where nothing is found. */
  search(from: number): Match | undefined {
    let skip = 32;
    let next = from;
    for (;;) {
      const at = next;
      const stride = skip >>> 5;
      next = at + stride;
      skip += stride;
      if (next > this.limit) return undefined;
      const source = this.#replace(at);
      if (this.#load(at) === this.#load(source)) return this.#extend(at, source);
    }
  }

  /** Looks only where a match has just ended. */
  continueAt(at: number): Match | undefined {
    this.#replace(at - 1);
    const source = this.#replace(at);
    return this.#load(at) === this.#load(source) ? this.#extend(at, source) : undefined;
  }

  #extend(start: number, source: number): Match {
    let length = 4;
    while (
      start + length < this.#bytes.length &&
      this.#bytes[start + length] === this.#bytes[source + length]
    ) {
      length += 1;
    }
    return { start, end: start + length, source };
  }

  /** Notes that these bytes are here now, and gives where they, or others of their hash, were before. */
  #replace(at: number): number {
    const slot = Math.imul(this.#load(at), MULTIPLIER) >>> this.#shift;
    const before = this.#table[slot] ?? 0;
    this.#table[slot] = at;
    return before;
  }

  #load(at: number): number {
    return this.#view.getUint32(at, true);
  }
}

/** The encoded bytes. */
class Writer {
  readonly #bytes: Uint8Array;
  #length = 0;

  constructor(plain: Uint8Array) {
    this.#bytes = new Uint8Array(maxSnappyLength(plain.length));
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  putLength(length: number): void {
    let rest = length;
    for (; rest >= 0x80; rest >>>= 7) this.#put((rest & 0x7f) | 0x80);
    this.#put(rest);
  }

  putLiteral(literal: Uint8Array): void {
    const size = literal.length - 1;
    if (size < 0) return;
    if (size < 60) this.#put(size << 2);
    else {
      this.#put((size < 0x100 ? 60 : 61) << 2);
      this.#put(size & 0xff);
      if (size >= 0x100) this.#put(size >>> 8);
    }
    this.#bytes.set(literal, this.#length);
    this.#length += literal.length;
  }

  /** A copy has 64 bytes at most, and one that is at least 4 must remain for the last. */
  putCopy(offset: number, length: number): void {
    let rest = length;
    for (; rest >= 68; rest -= 64) this.#putFarCopy(offset, 64);
    if (rest > 64) {
      this.#putFarCopy(offset, 60);
      rest -= 60;
    }
    if (rest >= 12 || offset >= 2048) {
      this.#putFarCopy(offset, rest);
      return;
    }
    this.#put(((offset >>> 8) << 5) | ((rest - 4) << 2) | 1);
    this.#put(offset & 0xff);
  }

  #putFarCopy(offset: number, length: number): void {
    this.#put(((length - 1) << 2) | 2);
    this.#put(offset & 0xff);
    this.#put(offset >>> 8);
  }

  #put(byte: number): void {
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }
}
