import type { BlockStore } from "./block-store.ts";
import { DirStore } from "./dir-store.ts";
import { HttpStore } from "./http-store.ts";
import type { RetryOptions } from "./retry.ts";
import type { StoreAddress } from "./store-address.ts";
import { ZdbStore } from "./zdb-store.ts";

/** What the stores of one use have in common. */
export interface StoreOptions {
  /** whether a web server may send us to that address */
  readonly mayFollow: (url: URL) => boolean;
  readonly retry?: RetryOptions | undefined;
}

/** Makes a store of the kind that its address says. Nothing is asked of it yet. */
export function openStore(address: StoreAddress, options: StoreOptions): BlockStore {
  switch (address.scheme) {
    case "dir":
      return new DirStore(address.path, address.text);
    case "zdb":
      return new ZdbStore(address, options);
    default:
      return new HttpStore(address, options);
  }
}
