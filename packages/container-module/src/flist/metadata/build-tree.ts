import type { BlockRef } from "../blocks/block-codec.ts";
import { MAX_PLAIN_BYTES } from "../blocks/block-codec.ts";
import { kindOfMode, PERMISSIONS, splitDevice } from "./file-mode.ts";
import type { Flist, FlistEntry } from "./flist.ts";
import { invalidFlist, quoteShort } from "./invalid-flist.ts";
import { type FlistLimits, MAX_PATH_BYTES } from "./limits.ts";

/** A row of the table of files, with what other tables say of it. */
export interface Inode {
  readonly ino: number;
  readonly parent: number;
  readonly name: string;
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly rdev: number;
  readonly mtime: number;
  target: Buffer | undefined;
  readonly blocks: BlockRef[];
}

const ROOT_INO = 1;

/**
 * Makes a tree of the rows: every entry is in a directory, once, under a name that stays there.
 * @throws HuskError ERR_FLIST_INVALID
 */
export function buildTree(
  inodes: ReadonlyMap<number, Inode>,
  limits: FlistLimits,
): Pick<Flist, "entries" | "totalBytes" | "blockCount"> {
  const root = inodes.get(ROOT_INO);
  if (root?.parent !== 0 || root.name !== "/") throw invalidFlist("it has no root");
  const children = groupByParent(inodes);
  const entries: FlistEntry[] = [];
  let [totalBytes, blockCount] = [0, 0];
  const waiting = [{ inode: root, path: "", depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { inode, path, depth } = next;
    const entry = makeEntry(inode, path);
    entries.push(entry);
    blockCount += entry.blocks.length;
    totalBytes += entry.kind === "file" ? entry.size : 0;
    if (totalBytes > limits.maxTotalBytes)
      throw invalidFlist(`its files have more than ${limits.maxTotalBytes} bytes`);
    const inside = children.get(inode.ino) ?? [];
    if (inside.length === 0) continue;
    if (entry.kind !== "directory")
      throw invalidFlist(`${quoteShort(path)} is no directory, and has entries`);
    if (depth >= limits.maxDepth)
      throw invalidFlist(`${quoteShort(path)} is more than ${limits.maxDepth} directories deep`);
    for (const child of sortDirectory(inside, path)) {
      waiting.push({
        inode: child,
        path: path === "" ? child.name : `${path}/${child.name}`,
        depth: depth + 1,
      });
    }
  }
  // What hangs on nothing, or on itself, was not met on the way from the root.
  if (entries.length !== inodes.size)
    throw invalidFlist(`${inodes.size - entries.length} entries are in no directory`);
  return { entries, totalBytes, blockCount };
}

function groupByParent(inodes: ReadonlyMap<number, Inode>): Map<number, Inode[]> {
  const groups = new Map<number, Inode[]>();
  for (const inode of inodes.values()) {
    if (inode.ino === ROOT_INO) continue;
    const group = groups.get(inode.parent);
    if (group) group.push(inode);
    else groups.set(inode.parent, [inode]);
  }
  return groups;
}

/** Checks the names in a directory, and gives what is in it, the last name first. */
function sortDirectory(inside: readonly Inode[], directory: string): Inode[] {
  const sorted = inside.toSorted((one, other) =>
    one.name < other.name ? 1 : one.name > other.name ? -1 : 0,
  );
  for (const [index, { name }] of sorted.entries()) {
    const where = directory === "" ? "in the root" : `in ${quoteShort(directory)}`;
    if (name === "" || name === "." || name === ".." || name.includes("/")) {
      throw invalidFlist(`the name ${quoteShort(name)} ${where}`);
    }
    if (sorted[index + 1]?.name === name)
      throw invalidFlist(`two entries of the name ${quoteShort(name)} ${where}`);
  }
  return sorted;
}

function makeEntry(inode: Inode, path: string): FlistEntry {
  const shown = path === "" ? "the root" : quoteShort(path);
  const { mode, uid, gid, size, mtime, target, blocks, rdev } = inode;
  const kind = kindOfMode(mode);
  if (!kind) throw invalidFlist(`${shown} is of no known kind: mode 0${mode.toString(8)}`);
  if (path === "" && kind !== "directory") throw invalidFlist("its root is no directory");
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw invalidFlist(`the path ${shown} has more than ${MAX_PATH_BYTES} bytes`);
  const entry = { path, kind, mode: mode & PERMISSIONS, uid, gid, size, mtime, blocks };
  if (kind === "file") checkBlocks(shown, size, blocks.length);
  else if (blocks.length > 0) throw invalidFlist(`${shown} is no file, and has blocks`);
  if (kind === "block" || kind === "character") return { ...entry, device: splitDevice(rdev) };
  if (kind !== "symlink") return entry;
  if (!target || target.length === 0 || target.includes(0))
    throw invalidFlist(`the link ${shown} leads nowhere`);
  return { ...entry, target };
}

/** How many bytes a block has is seen only when it is opened; but none is empty, and none above the limit. */
function checkBlocks(shown: string, size: number, blocks: number): void {
  if (blocks * MAX_PLAIN_BYTES < size || blocks > size) {
    throw invalidFlist(`the file ${shown} has ${size} bytes, but ${blocks} blocks`);
  }
}
