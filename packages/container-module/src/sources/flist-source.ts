import { rmSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { BlockCache } from "../flist/blocks/block-cache.ts";
import { BlockSource } from "../flist/blocks/block-source.ts";
import { DEFAULT_LIMITS } from "../flist/metadata/limits.ts";
import { readFlist } from "../flist/metadata/read-flist.ts";
import { unpackFlist } from "../flist/unpack/unpack-flist.ts";
import { makeCacheDirectories } from "./cache-directories.ts";
import { fetchFlist } from "./fetch-flist.ts";
import type { PackedSource, SourceOptions } from "./root-source.ts";

/**
 * Opens an flist of a file or of the web. It is read when it is unpacked.
 * @throws HuskError ERR_ROOTFS_MISSING, ERR_FLIST_INVALID, ERR_ABORTED
 */
export async function openFlistSource(reference: string, options: SourceOptions): Promise<PackedSource> {
  const { limits = DEFAULT_LIMITS, retry, signal, allowedStores, stores } = options;
  const directories = makeCacheDirectories(options.cacheDirectory);
  const fetched = await fetchFlist(reference, directories.incoming, {
    maxBytes: limits.maxFlistBytes,
    retry,
    signal,
  });
  return {
    kind: "flist",
    fingerprint: fetched.fingerprint,
    async unpack(target, how = {}) {
      try {
        const flist = readFlist(fetched.path, { limits, signal: how.signal });
        const cache = new BlockCache(directories.blocks);
        using source = new BlockSource({ routes: flist.routes, allowedStores, stores, cache, retry });
        const result = await unpackFlist(flist, source, target, how);
        await cache.prune();
        return result;
      } catch (error) {
        throw nameReference(error, fetched.path, reference);
      }
    },
    [Symbol.dispose]() {
      rmSync(fetched.path, { force: true });
    },
  };
}

/** Tells of the flist by the name that the caller knows it by. */
function nameReference(error: unknown, path: string, reference: string): unknown {
  if (!(error instanceof HuskError) || error.code === "ERR_ABORTED") return error;
  const message = error.message.replace(`${path}: `, "");
  return new HuskError(error.code, `${reference}: ${message}`, { hint: error.hint, cause: error });
}
