/** Bytes that a message begins with room for. */
const FIRST_BYTES = 256;

/** Writes the parts of a message, as {@link Reader} reads them. */
export class Writer {
  #bytes = new Uint8Array(FIRST_BYTES);
  #at = 0;
  #text: InstanceType<typeof TextEncoder> | undefined;

  /** What has been written: a view of the writer's own memory. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  tag(number: number, wireType: number): void {
    this.varint(((number << 3) | wireType) >>> 0, 0);
  }

  /** A varint, by its lower and its upper 32 bits, both unsigned. */
  varint(low: number, high: number): void {
    this.#reserve(10);
    let [below, above] = [low, high];
    while (below > 0x7f || above !== 0) {
      this.#bytes[this.#at++] = (below & 0x7f) | 0x80;
      below = ((below >>> 7) | (above << 25)) >>> 0;
      above >>>= 7;
    }
    this.#bytes[this.#at++] = below;
  }

  /** A signed 64-bit or an unsigned one: both have the same bytes. */
  varint64(value: bigint): void {
    // Not by BigInt.asUintN: QuickJS 2025-04-26 gives asUintN(64, 2n ** 64n - 1n) as -1n.
    this.varint(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn));
  }

  /** Bytes without a length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length, 0);
    this.raw(bytes);
  }

  string(text: string): void {
    this.#text ??= new TextEncoder();
    this.bytes(this.#text.encode(text));
  }

  /** Begins a value whose length is not known yet; what this returns is for {@link close}. */
  open(): number {
    this.#reserve(1);
    return ++this.#at;
  }

  /** Ends it, and puts its length before it. */
  close(start: number): void {
    const end = this.#at;
    const length = end - start;
    // One byte has been left for the length; longer ones move the value on.
    let extra = 0;
    for (let rest = length >>> 7; rest > 0; rest >>>= 7) extra++;
    this.#reserve(extra);
    if (extra > 0) this.#bytes.copyWithin(start + extra, start, end);
    this.#at = start - 1;
    this.varint(length, 0);
    this.#at = end + extra;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
