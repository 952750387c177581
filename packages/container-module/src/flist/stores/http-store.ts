import { MAX_SEALED_BYTES } from "../blocks/block-codec.ts";
import { type BlockStore, blockPaths } from "./block-store.ts";
import { httpGet } from "./http-get.ts";
import { DEFAULT_RETRY, type RetryOptions, retry } from "./retry.ts";
import type { StoreAddress } from "./store-address.ts";

/** Milliseconds for a block. */
const TIMEOUT_MS = 30_000;

/** How a store of the web is asked. */
export interface HttpStoreOptions {
  readonly mayFollow: (url: URL) => boolean;
  readonly retry?: RetryOptions | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A directory that a web server shows, with a file for each block. */
export class HttpStore implements BlockStore {
  readonly address: string;
  readonly #options: HttpStoreOptions;

  constructor({ text }: StoreAddress, options: HttpStoreOptions) {
    this.address = text;
    this.#options = options;
  }

  async get(id: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (const path of blockPaths(id)) {
      const url = new URL(`${this.address}/${path}`);
      const bytes = await retry({ ...(this.#options.retry ?? DEFAULT_RETRY), signal }, () =>
        this.#download(url, signal),
      );
      if (bytes) return bytes;
    }
    return undefined;
  }

  close(): void {}

  async #download(url: URL, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    const { mayFollow, timeoutMs = TIMEOUT_MS } = this.#options;
    const download = httpGet(url, { maxBytes: MAX_SEALED_BYTES, timeoutMs, signal, mayFollow });
    const chunks: Uint8Array[] = [];
    for (;;) {
      const { done, value } = await download.next();
      if (done) return value ? Buffer.concat(chunks) : undefined;
      chunks.push(value);
    }
  }
}
