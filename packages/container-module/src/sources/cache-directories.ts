import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory, HuskError } from "@husk/virtcontainers";
import { messageOf } from "@husk/virtcontainers/internals";

/** Where things are kept on this machine. */
export interface CacheDirectories {
  /** blocks by their ids */
  readonly blocks: string;
  /** unpacked root file systems by their fingerprints */
  readonly roots: string;
  /** flists that are being read */
  readonly incoming: string;
}

/**
 * Makes the directories of the cache. Nobody else may enter them: what is unpacked there may have programs in it that run
 * as root whoever starts them.
 * @throws HuskError ERR_STORE
 * @param base default: `flists` in husk's cache
 */
export function makeCacheDirectories(base = join(cacheDirectory(), "flists")): CacheDirectories {
  const directories = {
    blocks: join(base, "blocks"),
    roots: join(base, "roots"),
    incoming: join(base, "incoming"),
  };
  try {
    mkdirSync(base, { recursive: true, mode: 0o700 });
    for (const path of Object.values(directories)) mkdirSync(path, { recursive: true, mode: 0o700 });
    return directories;
  } catch (cause) {
    throw new HuskError("ERR_STORE", `the cache ${base} cannot be made: ${messageOf(cause)}`, { cause });
  }
}
