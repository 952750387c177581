import { HuskError } from "@husk/virtcontainers";
import { parseStoreAddress, type StoreAddress } from "../stores/store-address.ts";

/** A store to pack into, and the blocks that it is to have. */
export interface StoreSpec {
  /** first byte of ids, from */
  readonly start: number;
  /** first byte of ids, to (this one, too) */
  readonly end: number;
  readonly address: StoreAddress;
}

/**
 * Reads a store as rfs has it on its command line: an address, or `START-END=ADDRESS` with two digits of base 16 each.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED
 */
export function parseStoreSpec(text: string): StoreSpec {
  const [, from = "00", to = "ff", url = ""] = /^(?:([0-9a-f]{2})-([0-9a-f]{2})=)?(.*)$/is.exec(text) ?? [];
  const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
  if (start > end) throw new HuskError("ERR_CONFIG_INVALID", `the store's range ${from}-${to} is empty`);
  return { start, end, address: parseStoreAddress(url) };
}

/** Sees that every block has a store. @throws HuskError ERR_CONFIG_INVALID */
export function checkRanges(specs: readonly StoreSpec[]): void {
  for (let first = 0; first < 256; first += 1) {
    if (specs.some(({ start, end }) => start <= first && first <= end)) continue;
    const shown = first.toString(16).padStart(2, "0");
    throw new HuskError("ERR_CONFIG_INVALID", `no store is to have the blocks whose ids begin with ${shown}`);
  }
}
