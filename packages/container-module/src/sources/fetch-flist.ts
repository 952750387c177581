import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, systemCode, throwIfAborted } from "@husk/virtcontainers/internals";
import { invalidFlist } from "../flist/metadata/invalid-flist.ts";
import { httpGet } from "../flist/stores/http-get.ts";
import { DEFAULT_RETRY, type RetryOptions, retry } from "../flist/stores/retry.ts";

/** Milliseconds for the download of an flist. */
const TIMEOUT_MS = 300_000;
/** Milliseconds after which a copy belongs to a process that is no more. */
const STALE_MS = 86_400_000;

/** A copy of an flist that nobody else changes. */
export interface FetchedFlist {
  readonly path: string;
  /** SHA-256 of the file */
  readonly fingerprint: string;
}

/** How an flist is fetched. */
export interface FetchOptions {
  readonly maxBytes: number;
  readonly retry?: RetryOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Copies an flist from a file or from the web, so that what is checked is what is used, and computes its fingerprint.
 * @throws HuskError ERR_ROOTFS_MISSING, ERR_FLIST_INVALID when it is too large, ERR_ABORTED
 */
export async function fetchFlist(
  reference: string,
  directory: string,
  options: FetchOptions,
): Promise<FetchedFlist> {
  await removeStale(directory);
  const path = join(directory, `${process.pid}-${randomBytes(6).toString("hex")}.fl`);
  try {
    const fingerprint = await retry({ ...(options.retry ?? DEFAULT_RETRY), signal: options.signal }, () =>
      copy(reference, path, options),
    );
    return { path, fingerprint };
  } catch (error) {
    await rm(path, { force: true });
    if (error instanceof HuskError) throw error;
    throw new HuskError("ERR_ROOTFS_MISSING", `${reference} cannot be fetched: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function copy(reference: string, path: string, options: FetchOptions): Promise<string> {
  const hash = createHash("sha256");
  const file = await open(path, "w", 0o600);
  try {
    let length = 0;
    for await (const chunk of readReference(reference, options)) {
      throwIfAborted(options.signal);
      length += chunk.length;
      if (length > options.maxBytes)
        throw invalidFlist(`${reference} has more than ${options.maxBytes} bytes`);
      hash.update(chunk);
      await writeAll(file, chunk);
    }
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

async function* readReference(
  reference: string,
  { maxBytes, signal }: FetchOptions,
): AsyncGenerator<Uint8Array> {
  if (!isWebAddress(reference)) {
    yield* createReadStream(reference) as AsyncIterable<Uint8Array>;
    return;
  }
  const url = new URL(reference);
  // Who asks for this address trusts that machine, and not where it may send us.
  const mayFollow = (next: URL) => next.hostname === url.hostname && /^https?:$/.test(next.protocol);
  const found = yield* httpGet(url, { maxBytes, timeoutMs: TIMEOUT_MS, signal, mayFollow });
  if (!found) throw new HuskError("ERR_ROOTFS_MISSING", `${reference} does not exist`);
}

/** Whether a reference is an address of the web and no path. */
export function isWebAddress(reference: string): boolean {
  return /^https?:\/\//i.test(reference) && URL.canParse(reference);
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
}

/** Removes copies that were left by processes that were killed. */
async function removeStale(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    try {
      if (Date.now() - (await stat(path)).mtimeMs > STALE_MS) await rm(path, { force: true });
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
  }
}
