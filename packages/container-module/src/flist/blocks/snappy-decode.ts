/**
 * Decodes snappy's raw format (no frames): the length of the plain bytes, then literals and copies.
 * @param maxLength most plain bytes that are wanted
 * @throws Error when the bytes are not in this format, or are more
 */
export function decodeSnappy(packed: Uint8Array, maxLength: number): Uint8Array {
  const { length, at: start } = readLength(packed);
  if (length > maxLength) throw new Error(`${length} plain bytes, more than ${maxLength}`);
  const plain = new Uint8Array(length);
  let [from, to] = [start, 0];
  while (from < packed.length) {
    const element = readElement(packed, from);
    from = element.next;
    if (element.length > length - to) throw new Error("more plain bytes than announced");
    if (element.offset === undefined) {
      if (element.length > packed.length - from) throw new Error("a literal that is cut off");
      copyLiteral(packed, from, plain, to, element.length);
      from += element.length;
    } else {
      if (element.offset === 0 || element.offset > to) throw new Error("a copy of what is not there");
      copyWithin(plain, to, element.offset, element.length);
    }
    to += element.length;
  }
  if (to !== length) throw new Error("fewer plain bytes than announced");
  return plain;
}

/** The length stands first, seven bits a byte, the least first. */
function readLength(packed: Uint8Array): { length: number; at: number } {
  let length = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = packed[at];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { length, at: at + 1 };
  }
  throw new Error("no length in front");
}

/** A literal, or a copy of what is `offset` bytes before. */
interface Element {
  readonly length: number;
  readonly offset?: number;
  /** where it ends, or the literal's bytes begin */
  readonly next: number;
}

function readElement(packed: Uint8Array, at: number): Element {
  const tag = packed[at] ?? 0;
  const size = tag >>> 2;
  switch (tag & 3) {
    case 0:
      if (size < 60) return { length: size + 1, next: at + 1 };
      return { length: readInteger(packed, at + 1, size - 59) + 1, next: at + size - 58 };
    case 1: {
      const offset = ((size >>> 3) << 8) + readInteger(packed, at + 1, 1);
      return { length: (size & 7) + 4, offset, next: at + 2 };
    }
    case 2:
      return { length: size + 1, offset: readInteger(packed, at + 1, 2), next: at + 3 };
    default:
      return { length: size + 1, offset: readInteger(packed, at + 1, 4), next: at + 5 };
  }
}

function readInteger(packed: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let index = 0; index < bytes; index += 1) {
    const byte = packed[at + index];
    if (byte === undefined) throw new Error("an element that is cut off");
    value += byte * 2 ** (8 * index);
  }
  return value;
}

/** Bytes up to which a loop is quicker than asking for a copy. */
const SHORT_BYTES = 64;

function copyLiteral(packed: Uint8Array, from: number, plain: Uint8Array, to: number, length: number): void {
  if (length > SHORT_BYTES) plain.set(packed.subarray(from, from + length), to);
  else for (let at = 0; at < length; at += 1) plain[to + at] = packed[from + at] ?? 0;
}

/** A copy may overlap what it makes: then it repeats itself. */
function copyWithin(plain: Uint8Array, to: number, offset: number, length: number): void {
  for (let at = to; at < to + length; at += 1) plain[at] = plain[at - offset] ?? 0;
}
