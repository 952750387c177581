import { mkdirSync, realpathSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, throwIfAborted } from "@husk/virtcontainers/internals";
import type { FlistRoute } from "../metadata/flist.ts";
import { FlistWriter } from "../metadata/write-flist.ts";
import { parseStoreAddress } from "../stores/store-address.ts";
import { claimAside } from "../unpack/aside.ts";
import type { Progress } from "../unpack/progress.ts";
import { BlockSink } from "./block-sink.ts";
import { OrderedPuts } from "./ordered-puts.ts";
import { readPieces } from "./read-pieces.ts";
import { parseStoreSpec, type StoreSpec } from "./store-spec.ts";
import { walkDirectory } from "./walk-directory.ts";

/** How a directory is packed. */
export interface PackOptions {
  /** stores that get the blocks: an address each, or `START-END=ADDRESS` */
  readonly stores: readonly string[];
  /** addresses by which others find those stores, in the same order; default: the stores' own, without passwords */
  readonly routes?: readonly string[] | undefined;
  /** descriptions of the whole, by their names */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What has been packed. */
export interface PackResult {
  readonly entries: number;
  /** bytes of all files */
  readonly bytes: number;
  readonly blocks: number;
  /** bytes of all blocks, compressed; the same one twice counts twice */
  readonly sealedBytes: number;
}

/**
 * Packs a directory: its files into stores, all else into an flist. The same tree gives the same bytes, wherever it lies.
 * @param output the flist to make; it is there when it is whole
 * @throws HuskError ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED, ERR_ROOTFS_MISSING, ERR_ROOTFS_BUILD, ERR_ROOTFS_CHANGED,
 * ERR_FLIST_BLOCK, ERR_ABORTED
 */
export async function packFlist(
  directory: string,
  output: string,
  options: PackOptions,
): Promise<PackResult> {
  const specs = options.stores.map(parseStoreSpec);
  const routes = makeRoutes(specs, options.routes);
  checkApart(directory, output, specs);
  const temporary = await claimAside(resolve(output));
  try {
    using sink = new BlockSink(specs);
    using writer = new FlistWriter(temporary);
    for (const route of routes) writer.addRoute(route);
    for (const [key, value] of Object.entries(options.tags ?? {}).sort()) writer.addTag(key, value);
    const packed = await packEntries(directory, writer, sink, options);
    writer.finish();
    await rename(temporary, output);
    return { ...packed, blocks: sink.blocks, sealedBytes: sink.sealedBytes };
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof HuskError) throw error;
    throw new HuskError("ERR_ROOTFS_BUILD", `${output} cannot be made: ${messageOf(error)}`, {
      hint: "See that all of the directory can be read, and that you may write where the flist is to be.",
      cause: error,
    });
  }
}

async function packEntries(
  directory: string,
  writer: FlistWriter,
  sink: BlockSink,
  { signal, onProgress }: PackOptions,
): Promise<{ entries: number; bytes: number }> {
  let [entries, bytes] = [0, 0];
  /** numbers of the directories that lead to the next entry */
  const parents: number[] = [];
  await using puts = new OrderedPuts((ino, block) => writer.addBlock(ino, block));
  for (const { depth, path, ...entry } of walkDirectory(directory)) {
    throwIfAborted(signal);
    const size = entry.target?.length ?? 0;
    const ino = writer.addEntry({ ...entry, size, parent: parents[depth - 1] ?? 0 });
    parents[depth] = ino;
    entries += 1;
    if (entry.kind !== "file") continue;
    const before = bytes;
    for await (const piece of readPieces(path)) {
      throwIfAborted(signal);
      await puts.add(ino, sink.put(piece, signal));
      bytes += piece.length;
      onProgress?.({ bytes });
    }
    writer.setSize(ino, bytes - before);
  }
  await puts.finish();
  return { entries, bytes };
}

function makeRoutes(specs: readonly StoreSpec[], routes: readonly string[] | undefined): FlistRoute[] {
  if (specs.length === 0) throw new HuskError("ERR_CONFIG_INVALID", "no store is named to pack into");
  if (routes && routes.length > 0 && routes.length !== specs.length) {
    throw new HuskError("ERR_CONFIG_INVALID", `${specs.length} stores, but ${routes.length} routes`);
  }
  return specs.map(({ start, end, address }, index) => {
    const route = routes?.[index];
    return { start, end, url: route === undefined ? address.text : parseStoreAddress(route).text };
  });
}

/** Sees that what is made is not packed itself. */
function checkApart(directory: string, output: string, specs: readonly StoreSpec[]): void {
  const stores = specs.flatMap(({ address }) => (address.scheme === "dir" ? address.path : []));
  for (const store of stores) mkdirSync(store, { recursive: true });
  const inside = [dirname(resolve(output)), ...stores].find((made) => isWithin(made, directory));
  if (inside === undefined) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${inside} is within ${directory}, which is to be packed`);
}

function isWithin(path: string, directory: string): boolean {
  try {
    return `${realpathSync(path)}/`.startsWith(`${realpathSync(directory)}/`);
  } catch {
    // One that is not there is told of by who opens it.
    return false;
  }
}
