/** Random numbers that a seed repeats (xorshift32). */
export class Random {
  #state: number;

  /** @param seed any number but 0 */
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** An integer from 0 to `below` − 1. */
  next(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % below;
  }

  /** One of the elements. */
  pick<T>(elements: readonly T[]): T {
    return elements[this.next(elements.length)] as T;
  }

  /** A copy with a few bytes changed, removed or put in. */
  spoil(bytes: Uint8Array): Uint8Array {
    const list = [...bytes];
    for (let change = this.next(4); change >= 0; change--) {
      const at = this.next(list.length + 1);
      const kind = this.next(4);
      if (kind === 0) list.splice(at, 1 + this.next(8));
      else if (kind === 1) list.splice(at, 0, ...list.slice(at, at + this.next(16)));
      else if (kind === 2) list[at] = this.pick([0, 8, 12, 34, 44, 58, 91, 92, 93, 123, 125, 255]);
      else list[at] = this.next(256);
    }
    return Uint8Array.from(list);
  }

  /** A copy of a JSON value with one place of it changed. */
  spoilJson(value: unknown): unknown {
    if (typeof value !== "object" || value === null || this.next(8) === 0) return this.pick(AWKWARD);
    const entries = Object.entries(value);
    const at = this.next(Math.max(entries.length, 1));
    const [key, inner] = entries[at] ?? ["", null];
    if (this.next(6) === 0) entries.splice(at, 1);
    else entries[at] = [key, this.spoilJson(inner)];
    return Array.isArray(value) ? entries.map(([, element]) => element) : Object.fromEntries(entries);
  }
}

/** Values that a careless reader takes for something else. */
const AWKWARD: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 53, 1e308, "", "\0", "..", "a/b", "\ud800", "init", [], {}, [[]]],
  ...["x".repeat(5000), Array.from({ length: 5000 }, () => 0), { __proto__: null, length: 4 }],
];
