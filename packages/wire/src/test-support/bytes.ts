/** Bytes written as hex digits, with blanks anywhere. */
export function hex(digits: string): Uint8Array {
  const compact = digits.replace(/\s+/g, "");
  return Uint8Array.from(compact.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Several byte strings behind one another. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** The pieces of a byte string cut at the given offsets; offsets may repeat and lie beyond the end. */
export function cut(bytes: Uint8Array, offsets: readonly number[]): Uint8Array[] {
  const ends = [...offsets.filter((at) => at < bytes.length), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.slice(ends[i - 1] ?? 0, end));
}

/** A value as the bytes of its JSON. */
export function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** A text as its bytes. */
export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
