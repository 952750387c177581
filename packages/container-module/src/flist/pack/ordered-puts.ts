import type { BlockRef } from "../blocks/block-codec.ts";

/** Blocks that are on their way to stores at the same time. */
const BLOCKS_AT_ONCE = 16;

/** Blocks that are put away at the same time, and noted in the order in which they came. */
export class OrderedPuts implements AsyncDisposable {
  readonly #note: (ino: number, block: BlockRef) => void;
  readonly #going: { readonly ino: number; readonly block: Promise<BlockRef> }[] = [];

  constructor(note: (ino: number, block: BlockRef) => void) {
    this.#note = note;
  }

  /** Takes the next block of a file; waits while too many are under way. @throws what an earlier one has thrown */
  async add(ino: number, block: Promise<BlockRef>): Promise<void> {
    // It is awaited in its turn.
    block.catch(() => {});
    this.#going.push({ ino, block });
    if (this.#going.length >= BLOCKS_AT_ONCE) await this.#noteOldest();
  }

  /** Waits for all. @throws what one of them has thrown */
  async finish(): Promise<void> {
    while (this.#going.length > 0) await this.#noteOldest();
  }

  /** Waits until none is under way any more, whatever becomes of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#going.splice(0).map(({ block }) => block));
  }

  async #noteOldest(): Promise<void> {
    const oldest = this.#going.shift();
    if (oldest) this.#note(oldest.ino, await oldest.block);
  }
}
