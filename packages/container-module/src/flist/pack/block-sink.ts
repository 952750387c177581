import { HuskError } from "@husk/virtcontainers";
import { messageOf } from "@husk/virtcontainers/internals";
import { type BlockRef, sealBlock } from "../blocks/block-codec.ts";
import type { BlockStore } from "../stores/block-store.ts";
import { openStore } from "../stores/open-store.ts";
import { checkRanges, type StoreSpec } from "./store-spec.ts";

/** A store that can be written to, and the blocks that it is to have. */
interface Sink {
  readonly start: number;
  readonly end: number;
  readonly store: BlockStore;
  readonly put: NonNullable<BlockStore["put"]>;
}

/** Puts blocks into the stores that are to have them. */
export class BlockSink implements Disposable {
  readonly #sinks: readonly Sink[];
  #blocks = 0;
  #sealedBytes = 0;

  /** @throws HuskError ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED when a store can only be read */
  constructor(specs: readonly StoreSpec[]) {
    checkRanges(specs);
    this.#sinks = specs.map(({ start, end, address }) => {
      const store = openStore(address, { mayFollow: () => false });
      if (store.put) return { start, end, store, put: store.put.bind(store) };
      throw new HuskError("ERR_NOT_SUPPORTED", `the store ${store.address} can only be read`, {
        hint: "Pack into dir:///DIRECTORY, and name what the web server calls it with --route.",
      });
    });
  }

  /** Blocks put so far. */
  get blocks(): number {
    return this.#blocks;
  }

  /** Bytes put so far, as the stores have them. */
  get sealedBytes(): number {
    return this.#sealedBytes;
  }

  /** Seals a piece of a file and puts it away. @throws HuskError ERR_FLIST_BLOCK, ERR_ABORTED */
  async put(plain: Uint8Array, signal: AbortSignal | undefined): Promise<BlockRef> {
    const { id, key, sealed } = await sealBlock(plain);
    const first = id[0] ?? 0;
    for (const { start, end, store, put } of this.#sinks) {
      if (first < start || first > end) continue;
      try {
        await put(id, sealed, signal);
      } catch (error) {
        if (error instanceof HuskError) throw error;
        throw new HuskError(
          "ERR_FLIST_BLOCK",
          `${store.address} does not take a block: ${messageOf(error)}`,
          {
            hint: "See that the store can be reached and written to, and has room.",
            cause: error,
          },
        );
      }
    }
    this.#blocks += 1;
    this.#sealedBytes += sealed.length;
    return { id, key };
  }

  [Symbol.dispose](): void {
    for (const { store } of this.#sinks) store.close();
  }
}
