import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { abortError, throwIfAborted } from "@husk/virtcontainers/internals";
import type { BlockSource } from "../blocks/block-source.ts";
import type { Flist, FlistEntry } from "../metadata/flist.ts";
import { isRoot, setAttributes, setLinkAttributes } from "./attributes.ts";
import type { UnpackOptions, UnpackResult } from "./progress.ts";
import { makeSpecialFile } from "./special-file.ts";
import { writeFile } from "./write-file.ts";

/** Files that are written at the same time. */
const FILES_AT_ONCE = 8;

/**
 * Unpacks an flist into an empty directory that nobody else can write to. Directories come first and symbolic links last,
 * so that no path leads through a link; the owners, modes and times of directories, when nothing changes in them any more.
 * @throws HuskError ERR_FLIST_BLOCK, ERR_FLIST_STORE_DENIED, ERR_FLIST_INVALID, ERR_ROOTFS_BUILD, ERR_ABORTED
 */
export async function unpackFlist(
  { entries, totalBytes }: Flist,
  source: BlockSource,
  target: string,
  { signal, onProgress }: UnpackOptions = {},
): Promise<UnpackResult> {
  const leftOut: string[] = isRoot() ? [] : describeOwners(entries);
  const pathOf = ({ path }: FlistEntry) => join(target, path);
  const directories = entries.filter(({ kind }) => kind === "directory");
  for (const entry of directories) {
    throwIfAborted(signal);
    if (entry.path !== "") await mkdir(pathOf(entry), 0o700);
  }
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    onProgress?.({ bytes: done, totalBytes });
  };
  const files = entries.filter(({ kind }) => kind === "file");
  await forEachAtOnce(files, signal, async (entry, ending) => {
    await writeFile(pathOf(entry), entry, source, ending, onBytes);
    await setAttributes(pathOf(entry), entry);
  });
  for (const entry of entries) {
    if (entry.kind === "directory" || entry.kind === "file") continue;
    throwIfAborted(signal);
    const why = await makeOther(pathOf(entry), entry, signal);
    if (why !== undefined) leftOut.push(`${entry.path}: ${why}`);
  }
  for (const entry of directories.toReversed()) await setAttributes(pathOf(entry), entry);
  return { entries: entries.length, bytes: totalBytes, leftOut };
}

async function makeOther(
  path: string,
  entry: FlistEntry,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { kind, target, device } = entry;
  if (kind === "file" || kind === "directory") return undefined;
  if (kind === "symlink") {
    await symlink(target ?? "", path);
    await setLinkAttributes(path, entry);
    return undefined;
  }
  const why = await makeSpecialFile(path, { kind, device }, signal);
  if (why === undefined) await setAttributes(path, entry);
  return why;
}

function describeOwners(entries: readonly FlistEntry[]): string[] {
  const own = process.geteuid?.();
  const others = entries.filter(({ uid }) => uid !== own).length;
  return others === 0 ? [] : [`owners of ${others} entries, which only root can give`];
}

/** Does something to each of many, some at the same time. When one fails, all are ended, and have ended when this throws. */
async function forEachAtOnce<T>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  act: (item: T, ending: AbortSignal) => Promise<void>,
): Promise<void> {
  const failing = new AbortController();
  const ending = signal ? AbortSignal.any([signal, failing.signal]) : failing.signal;
  const queue = items.values();
  const work = async () => {
    try {
      for (const item of queue) {
        throwIfAborted(ending);
        await act(item, ending);
      }
    } catch (error) {
      failing.abort(error);
      throw error;
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, work));
  if (signal?.aborted) throw abortError(signal);
  // The one that failed by itself has told the others.
  if (ends.some(({ status }) => status === "rejected")) throw failing.signal.reason;
}
