import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { BlockRef } from "../blocks/block-codec.ts";
import { modeOf } from "./file-mode.ts";
import type { EntryKind, FlistRoute } from "./flist.ts";
import { createDatabase } from "./sqlite.ts";

/** The tables that rfs has, with the columns and kinds of columns that it has; it goes by their names. */
const SCHEMA = `
CREATE TABLE inode (ino INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, name VARCHAR(255), size INTEGER,
  uid INTEGER, gid INTEGER, mode INTEGER, rdev INTEGER, ctime INTEGER, mtime INTEGER);
CREATE INDEX parents ON inode (parent);
CREATE TABLE extra (ino INTEGER PRIMARY KEY, data VARCHAR(4096));
CREATE TABLE block (ino INTEGER, id VARCHAR(32), key VARCHAR(32));
CREATE INDEX block_ino ON block (ino);
CREATE TABLE tag (key VARCHAR(10) PRIMARY KEY, value VARCHAR(255));
CREATE TABLE route (start INTEGER, "end" INTEGER, url VARCHAR(2048));
`;

/** An entry as it is written; parents come before what is in them. */
export interface NewEntry {
  /** number of the directory it is in; 0: it is the root */
  readonly parent: number;
  readonly name: string;
  readonly kind: EntryKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** bytes; of what is no file 0 */
  readonly size: number;
  /** device's number, as `st_rdev` has it */
  readonly rdev: number;
  /** seconds since 1970 */
  readonly mtime: number;
  readonly target?: Buffer | undefined;
}

/**
 * Writes an flist, entry by entry. The same entries in the same order give the same bytes, which is why the time of the
 * last change of metadata, which no two copies of a tree share, is written as that of content.
 */
export class FlistWriter {
  readonly #database: DatabaseSync;
  readonly #statements: Record<"inode" | "extra" | "size" | "block" | "route" | "tag", StatementSync>;

  /** @param path a file that does not exist yet, or is empty */
  constructor(path: string) {
    this.#database = createDatabase(path);
    // The file is moved to its place when it is whole: what a crash leaves is thrown away, and needs no journal.
    this.#database.exec(
      "PRAGMA page_size = 4096; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN",
    );
    this.#database.exec(SCHEMA);
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#statements = {
      inode: prepare(
        "INSERT INTO inode (parent, name, size, uid, gid, mode, rdev, ctime, mtime) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ),
      extra: prepare("INSERT INTO extra VALUES (?, ?)"),
      size: prepare("UPDATE inode SET size = ? WHERE ino = ?"),
      block: prepare("INSERT INTO block VALUES (?, ?, ?)"),
      route: prepare("INSERT INTO route VALUES (?, ?, ?)"),
      tag: prepare("INSERT INTO tag VALUES (?, ?)"),
    };
  }

  /** @returns the entry's number */
  addEntry(entry: NewEntry): number {
    const { parent, name, kind, mode, uid, gid, size, rdev, mtime, target } = entry;
    const { inode, extra } = this.#statements;
    const values = [parent, name, size, uid, gid, modeOf(kind, mode), rdev, mtime, mtime];
    const { lastInsertRowid } = inode.run(...values);
    if (target) extra.run(lastInsertRowid, target);
    return Number(lastInsertRowid);
  }

  /** Says how many bytes a file has, once it has been read. */
  setSize(ino: number, size: number): void {
    this.#statements.size.run(size, ino);
  }

  /** Adds the next block of a file. */
  addBlock(ino: number, { id, key }: BlockRef): void {
    this.#statements.block.run(ino, id, key);
  }

  addRoute({ start, end, url }: FlistRoute): void {
    this.#statements.route.run(start, end, url);
  }

  addTag(key: string, value: string): void {
    this.#statements.tag.run(key, value);
  }

  /** Ends the file: nothing can be added any more. */
  finish(): void {
    this.#database.exec("COMMIT; PRAGMA journal_mode = DELETE");
  }

  /** Closes the file, finished or not. */
  [Symbol.dispose](): void {
    this.#database.close();
  }
}
