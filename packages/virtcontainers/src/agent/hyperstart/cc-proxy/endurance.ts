/** A connection that ends within so many milliseconds has been of no use. */
const SHORT_MS = 1000;
/** How many such are made in a row. */
const MAX_SHORT = 3;

/** Tells whether a connection that breaks off is worth making anew: not when the other side dies at once each time. */
export class Endurance {
  #madeAt = performance.now();
  #short = 0;

  /** A connection has been made. */
  noteMade(): void {
    this.#madeAt = performance.now();
  }

  /** It has ended. @returns whether another is worth a try */
  noteEnd(): boolean {
    this.#short = performance.now() - this.#madeAt < SHORT_MS ? this.#short + 1 : 0;
    return this.#short <= MAX_SHORT;
  }
}
