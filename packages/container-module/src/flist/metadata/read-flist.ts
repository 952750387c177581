import type { DatabaseSync } from "node:sqlite";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, throwIfAborted } from "@husk/virtcontainers/internals";
import { type BlockRef, HASH_BYTES } from "../blocks/block-codec.ts";
import { buildTree, type Inode } from "./build-tree.ts";
import { readBytes, readInteger, readText } from "./fields.ts";
import type { Flist, FlistRoute } from "./flist.ts";
import { invalidFlist } from "./invalid-flist.ts";
import {
  DEFAULT_LIMITS,
  type FlistLimits,
  MAX_NAME_BYTES,
  MAX_TAG_BYTES,
  MAX_TAG_KEY_BYTES,
  MAX_TARGET_BYTES,
  MAX_URL_BYTES,
} from "./limits.ts";
import { type Row, readTables, type TableVisitor } from "./read-tables.ts";
import { openUntrustedDatabase } from "./sqlite.ts";

/** The user that chown(2) takes for "as it is": nobody can be it. */
const MAX_ID = 0xffff_fffe;
/** Seconds since 1970 that a file system may be asked to keep, either way. */
const MAX_SECONDS = 2 ** 40;

/** How an flist is read. */
export interface ReadOptions {
  readonly limits?: FlistLimits | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the metadata of an flist (`.fl`), and checks all of it. Nothing is asked of any store.
 * @param path the file; it must not change meanwhile
 * @throws HuskError ERR_FLIST_INVALID, ERR_ABORTED
 */
export function readFlist(path: string, { limits = DEFAULT_LIMITS, signal }: ReadOptions = {}): Flist {
  throwIfAborted(signal);
  let database: DatabaseSync | undefined;
  try {
    database = openUntrustedDatabase(path);
    const collector = new Collector();
    readTables(database, limits, collector);
    const { inodes, routes, tags } = collector;
    return { ...buildTree(inodes, limits), routes, tags };
  } catch (error) {
    throw describeFault(path, error);
  } finally {
    database?.close();
  }
}

/** Says which file it is, whether the fault was found by SQLite or by us. */
function describeFault(path: string, error: unknown): HuskError {
  const [why, hint] = error instanceof HuskError ? [error.message, error.hint] : [messageOf(error)];
  return new HuskError("ERR_FLIST_INVALID", `${path}: ${why}`, { hint, cause: error });
}

/** Keeps the rows of an flist, each checked by itself. */
class Collector implements TableVisitor {
  readonly inodes = new Map<number, Inode>();
  readonly routes: FlistRoute[] = [];
  readonly tags = new Map<string, string>();

  inode(row: Row): void {
    const ino = readInteger(row, "ino", 1, Number.MAX_SAFE_INTEGER);
    if (this.inodes.has(ino)) throw invalidFlist(`two files of the number ${ino}`);
    this.inodes.set(ino, {
      ino,
      parent: readInteger(row, "parent", 0, Number.MAX_SAFE_INTEGER),
      name: readText(row, "name", MAX_NAME_BYTES),
      size: readInteger(row, "size", 0, Number.MAX_SAFE_INTEGER),
      uid: readInteger(row, "uid", 0, MAX_ID),
      gid: readInteger(row, "gid", 0, MAX_ID),
      mode: readInteger(row, "mode", 0, 0o177777),
      rdev: readInteger(row, "rdev", 0, Number.MAX_SAFE_INTEGER),
      mtime: readInteger(row, "mtime", -MAX_SECONDS, MAX_SECONDS),
      target: undefined,
      blocks: [],
    });
  }

  /** What is said of a file besides: of a symbolic link, where it leads. Of others it says nothing to us. */
  extra(row: Row): void {
    const inode = this.inodes.get(readInteger(row, "ino", 1, Number.MAX_SAFE_INTEGER));
    if (inode) inode.target = Buffer.from(readBytes(row, "data", MAX_TARGET_BYTES));
  }

  block(row: Row): void {
    const ino = readInteger(row, "ino", 1, Number.MAX_SAFE_INTEGER);
    const inode = this.inodes.get(ino);
    if (!inode) throw invalidFlist(`a block of file ${ino}, which does not exist`);
    const block: BlockRef = { id: readHash(row, "id"), key: readHash(row, "key") };
    inode.blocks.push(block);
  }

  route(row: Row): void {
    const [start, end] = [readInteger(row, "start", 0, 255), readInteger(row, "end", 0, 255)];
    this.routes.push({ start, end, url: readText(row, "url", MAX_URL_BYTES) });
  }

  tag(row: Row): void {
    this.tags.set(readText(row, "key", MAX_TAG_KEY_BYTES), readText(row, "value", MAX_TAG_BYTES));
  }
}

function readHash(row: Row, column: string): Uint8Array {
  const bytes = readBytes(row, column, HASH_BYTES);
  if (bytes.length !== HASH_BYTES) throw invalidFlist(`a block's ${column} has ${bytes.length} bytes`);
  return bytes;
}
