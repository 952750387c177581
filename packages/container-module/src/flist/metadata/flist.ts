import type { BlockRef } from "../blocks/block-codec.ts";

/** What an entry of an flist is. */
export type EntryKind = "file" | "directory" | "symlink" | "block" | "character" | "fifo" | "socket";

/** A file, directory or the like of an flist. */
export interface FlistEntry {
  /** path from the root, without a slash in front; the root's is empty */
  readonly path: string;
  readonly kind: EntryKind;
  /** permission bits, with setuid, setgid and sticky */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** bytes; of what is no file, whatever the packer's file system said */
  readonly size: number;
  /** time of the last change of content, in seconds since 1970 */
  readonly mtime: number;
  /** numbers of a device */
  readonly device?: { readonly major: number; readonly minor: number };
  /** where a symbolic link leads, as it stands there */
  readonly target?: Buffer;
  /** what a file consists of, in order */
  readonly blocks: readonly BlockRef[];
}

/** A store, and the blocks that it has: those whose id's first byte is from `start` to `end`. */
export interface FlistRoute {
  readonly start: number;
  readonly end: number;
  /** the store's address */
  readonly url: string;
}

/** What an flist says. It has been checked: nothing in it leads out of its root. */
export interface Flist {
  /** parents before what is in them, names in order; the first is the root */
  readonly entries: readonly FlistEntry[];
  readonly routes: readonly FlistRoute[];
  /** descriptions of the whole, by their names */
  readonly tags: ReadonlyMap<string, string>;
  /** bytes of all files together */
  readonly totalBytes: number;
  /** blocks of all files together */
  readonly blockCount: number;
}
