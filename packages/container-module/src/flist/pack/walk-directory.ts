import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { messageOf } from "@husk/virtcontainers/internals";
import { kindOfMode, PERMISSIONS } from "../metadata/file-mode.ts";
import type { EntryKind } from "../metadata/flist.ts";
import { quoteShort } from "../metadata/invalid-flist.ts";

/** A file, directory or the like as it is found on disk. */
export interface FoundEntry {
  /** where it is */
  readonly path: string;
  /** its own name; the root's is "/" */
  readonly name: string;
  readonly kind: EntryKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  /** seconds since 1970 */
  readonly mtime: number;
  readonly target: Buffer | undefined;
  /** how many directories it is deep; the root is 0 */
  readonly depth: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Gives all that is in a directory, itself first, parents before what is in them, names in order.
 * @throws HuskError ERR_ROOTFS_MISSING, ERR_ROOTFS_BUILD for a name that an flist cannot have
 */
export function* walkDirectory(root: string): Generator<FoundEntry> {
  const waiting = [{ path: root, name: "/", depth: 0 }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { path, name, depth } = next;
    const entry = describe(path, name, depth);
    yield entry;
    if (entry.kind !== "directory") continue;
    for (const child of readNames(path).toReversed()) {
      waiting.push({ path: `${path}/${child}`, name: child, depth: depth + 1 });
    }
  }
}

function describe(path: string, name: string, depth: number): FoundEntry {
  const stats = statEntry(path);
  const kind = kindOfMode(stats.mode);
  if (!kind || (depth === 0 && kind !== "directory")) {
    throw new HuskError("ERR_ROOTFS_MISSING", `${path} is no directory`);
  }
  const { uid, gid, rdev, mtimeMs } = stats;
  const target = kind === "symlink" ? readlinkSync(path, { encoding: "buffer" }) : undefined;
  const mtime = Math.floor(mtimeMs / 1000);
  const isDevice = kind === "block" || kind === "character";
  return {
    path,
    name,
    kind,
    mode: stats.mode & PERMISSIONS,
    uid,
    gid,
    rdev: isDevice ? rdev : 0,
    mtime,
    target,
    depth,
  };
}

function statEntry(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (cause) {
    throw new HuskError("ERR_ROOTFS_MISSING", `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** The names in a directory, in order. Other tools write names that are not in UTF-8 as something else; we refuse. */
function readNames(path: string): string[] {
  const names = readdirSync(path, { encoding: "buffer" }).map((name) => {
    try {
      return decoder.decode(name);
    } catch (cause) {
      const shown = quoteShort(name.toString("latin1"));
      throw new HuskError("ERR_ROOTFS_BUILD", `the name ${shown} in ${path} is not in UTF-8`, { cause });
    }
  });
  return names.sort((one, other) => (one < other ? -1 : 1));
}
