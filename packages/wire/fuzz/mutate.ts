import type { Random } from "./random.ts";

/** Bytes that mean something to a length field, to JSON or to UTF-8. */
const TELLING = [
  0x00, 0x01, 0x07, 0x08, 0x0a, 0x0b, 0x0c, 0x22, 0x2c, 0x5b, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc3, 0xff,
];

/** Values that a careless reader takes for something else. */
const AWKWARD: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 53, 1e308, "", "\0", "..", "a/b", "\ud800", [], {}, [[]]],
  ...["x".repeat(5000), Array.from({ length: 5000 }, () => 0), { __proto__: null, toString: 1 }],
];

/** A copy of the bytes with one to four changes: bits, bytes, pieces removed, doubled or put in. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let list = [...bytes];
  for (let change = random.next(4); change >= 0; change--) {
    const at = random.next(list.length + 1);
    const length = random.next(12);
    const kind = random.next(6);
    if (kind === 0) list[at] = (list[at] ?? 0) ^ (1 << random.next(8));
    else if (kind === 1) list[at] = random.pick(TELLING);
    else if (kind === 2) list.splice(at, length);
    else if (kind === 3) list.splice(at, 0, ...list.slice(at, at + length));
    else if (kind === 4) list.splice(at, 0, ...Array.from({ length }, () => random.next(256)));
    else list = list.slice(0, Math.max(at, 1));
  }
  return Uint8Array.from(list);
}

/** A copy of a JSON value in which one place has another value, is gone, or is doubled under another name. */
export function mutateJson(value: unknown, random: Random): unknown {
  if (typeof value !== "object" || value === null || random.next(8) === 0) return random.pick(AWKWARD);
  const entries = Object.entries(value);
  if (entries.length === 0) return random.pick(AWKWARD);
  const at = random.next(entries.length);
  const [key, inner] = entries[at] ?? ["", null];
  const kind = random.next(8);
  if (kind === 0) entries.splice(at, 1);
  else if (kind === 1) entries.push([`${key}x`, inner]);
  else entries[at] = [key, mutateJson(inner, random)];
  return Array.isArray(value) ? entries.map(([, element]) => element) : Object.fromEntries(entries);
}

/** The bytes in pieces cut at random places. */
export function cutRandomly(bytes: Uint8Array, random: Random): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.next(random.next(4) === 0 ? 64 : 9);
    pieces.push(bytes.slice(at, end));
    at = end;
  }
  return pieces;
}
