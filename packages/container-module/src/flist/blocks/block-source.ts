import { HuskError } from "@husk/virtcontainers";
import { abortError, messageOf } from "@husk/virtcontainers/internals";
import type { FlistRoute } from "../metadata/flist.ts";
import { invalidFlist } from "../metadata/invalid-flist.ts";
import { type BlockStore, hexId } from "../stores/block-store.ts";
import { openStore } from "../stores/open-store.ts";
import type { RetryOptions } from "../stores/retry.ts";
import { findAllowing, parseStoreAddress, type StoreAddress } from "../stores/store-address.ts";
import type { BlockCache } from "./block-cache.ts";
import { type BlockRef, isBlock, MAX_SEALED_BYTES, openBlock } from "./block-codec.ts";
import { Gate } from "./gate.ts";

/** Blocks that are fetched at the same time, unless told otherwise. */
const DEFAULT_CONCURRENCY = 16;

/** Where blocks may be had from. */
export interface BlockSourceOptions {
  /** what the flist says */
  readonly routes: readonly FlistRoute[];
  /** addresses of stores that an flist may name; one ends on what its own begin with, and may have a password */
  readonly allowedStores?: readonly string[] | undefined;
  /** stores that are asked first, whatever the flist says */
  readonly stores?: readonly string[] | undefined;
  readonly cache?: BlockCache | undefined;
  /** blocks that are fetched at the same time */
  readonly concurrency?: number | undefined;
  readonly retry?: RetryOptions | undefined;
}

/** A route whose store may be asked, or why not. */
interface Choice {
  readonly start: number;
  readonly end: number;
  readonly store?: BlockStore;
  readonly refusal?: string;
}

/** Gets the blocks of one flist: out of the cache, else from stores that are allowed. */
export class BlockSource implements Disposable {
  readonly #cache: BlockCache | undefined;
  readonly #gate: Gate;
  readonly #retry: RetryOptions | undefined;
  readonly #allowed: readonly StoreAddress[];
  readonly #first: readonly BlockStore[];
  readonly #choices: readonly Choice[];
  readonly #open = new Map<string, BlockStore>();

  /** @throws HuskError ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED for an address that the caller gave */
  constructor(options: BlockSourceOptions) {
    this.#cache = options.cache;
    this.#gate = new Gate(options.concurrency ?? DEFAULT_CONCURRENCY);
    this.#retry = options.retry;
    const stores = (options.stores ?? []).map(parseStoreAddress);
    this.#allowed = [...(options.allowedStores ?? []).map(parseStoreAddress), ...stores];
    this.#first = stores.map((address) => this.#openOnce(address));
    this.#choices = options.routes.map((route) => this.#choose(route));
  }

  /**
   * Gives the plain bytes of a block.
   * @throws HuskError ERR_FLIST_BLOCK, ERR_FLIST_STORE_DENIED, ERR_FLIST_INVALID, ERR_ABORTED
   */
  async get(block: BlockRef, signal?: AbortSignal): Promise<Uint8Array> {
    const sealed = await this.#gate.run(() => this.#getSealed(block.id, signal));
    try {
      return await openBlock(block.key, sealed);
    } catch (error) {
      // The store gave what the flist asked for: then the flist is wrong.
      throw invalidFlist(`block ${hexId(block.id)}: ${messageOf(error)}`, error);
    }
  }

  /** Ends the connections to all stores. */
  [Symbol.dispose](): void {
    for (const store of this.#open.values()) store.close();
  }

  async #getSealed(id: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (signal?.aborted) throw abortError(signal);
    const cached = await this.#cache?.get(id);
    if (cached) return cached;
    const faults: string[] = [];
    for (const store of this.#storesFor(id)) {
      const sealed = await askStore(store, id, faults, signal);
      if (!sealed) continue;
      await this.#cache?.put(id, sealed);
      return sealed;
    }
    throw this.#describeFailure(id, faults);
  }

  /** Stores that have a block by what the flist says, each block beginning with another of them. */
  #storesFor(id: Uint8Array): Set<BlockStore> {
    const routed = this.#choicesFor(id).flatMap(({ store }) => store ?? []);
    const turn = routed.length === 0 ? 0 : (id[1] ?? 0) % routed.length;
    return new Set([...this.#first, ...routed.slice(turn), ...routed.slice(0, turn)]);
  }

  #choicesFor(id: Uint8Array): Choice[] {
    const first = id[0] ?? 0;
    return this.#choices.filter(({ start, end }) => start <= first && first <= end);
  }

  #choose({ start, end, url }: FlistRoute): Choice {
    try {
      const asked = parseStoreAddress(url);
      const allowing = findAllowing(this.#allowed, asked);
      if (!allowing) return { start, end, refusal: `${asked.text} is not allowed` };
      // A password comes from who allows the store, never from the flist.
      return { start, end, store: this.#openOnce({ ...asked, password: allowing.password }) };
    } catch (error) {
      return { start, end, refusal: messageOf(error) };
    }
  }

  #openOnce(address: StoreAddress): BlockStore {
    const present = this.#open.get(address.text);
    if (present) return present;
    const store = openStore(address, { mayFollow: (url) => this.#mayFollow(url), retry: this.#retry });
    this.#open.set(address.text, store);
    return store;
  }

  #mayFollow({ origin, pathname }: URL): boolean {
    try {
      return findAllowing(this.#allowed, parseStoreAddress(`${origin}${pathname}`)) !== undefined;
    } catch {
      return false;
    }
  }

  #describeFailure(id: Uint8Array, faults: readonly string[]): HuskError {
    const refusals = this.#choicesFor(id).flatMap(({ refusal }) => refusal ?? []);
    const name = `block ${hexId(id)}`;
    if (faults.length === 0 && refusals.length > 0) {
      return new HuskError("ERR_FLIST_STORE_DENIED", `${name}: ${[...new Set(refusals)].join("; ")}`);
    }
    const said = [...faults, ...new Set(refusals)];
    return new HuskError(
      "ERR_FLIST_BLOCK",
      `${name}: ${said.join("; ") || "the flist names no store that has it"}`,
    );
  }
}

/** Asks one store for a block, and notes why it could not be had there. */
async function askStore(
  store: BlockStore,
  id: Uint8Array,
  faults: string[],
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  try {
    const sealed = await store.get(id, signal);
    if (sealed && sealed.length <= MAX_SEALED_BYTES && (await isBlock(id, sealed))) return sealed;
    faults.push(`${store.address} ${sealed ? "gave something else" : "does not have it"}`);
  } catch (error) {
    if (signal?.aborted) throw abortError(signal);
    faults.push(`${store.address}: ${messageOf(error)}`);
  }
  return undefined;
}
