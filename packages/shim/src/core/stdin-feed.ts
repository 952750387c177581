import type { ProcessLink } from "./process-link.ts";

interface Piece {
  data: Uint8Array;
  taken: () => void;
}

/** The input of the process, from whoever gives any: a piece at a time goes to the link, in the order in which they came. */
export class StdinFeed {
  readonly #link: Pick<ProcessLink, "writeStdin" | "closeStdin">;
  #pieces: Piece[] = [];
  /** the link has a piece that it has not taken */
  #waits = false;
  #isPumping = false;
  /** nothing is to come any more */
  #ends = false;
  #hasEnded = false;

  constructor(link: Pick<ProcessLink, "writeStdin" | "closeStdin">) {
    this.#link = link;
  }

  /** Gives input, which is the feed's until `taken` is called. What comes behind the end is dropped. */
  give(data: Uint8Array, taken: () => void): void {
    if (this.#ends) {
      taken();
      return;
    }
    this.#pieces.push({ data, taken });
    this.#pump();
  }

  /** Ends the input when all that was given has been taken. */
  end(): void {
    this.#ends = true;
    this.#pump();
  }

  #pump(): void {
    // A link that takes a piece at once calls back from within.
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let piece = this.#next(); piece; piece = this.#next()) {
      this.#waits = true;
      const { data, taken } = piece;
      this.#link.writeStdin(data, () => {
        this.#waits = false;
        taken();
        this.#pump();
      });
    }
    this.#isPumping = false;
    if (!this.#ends || this.#hasEnded || this.#waits) return;
    this.#hasEnded = true;
    this.#link.closeStdin();
  }

  #next(): Piece | undefined {
    return this.#waits ? undefined : this.#pieces.shift();
  }
}
