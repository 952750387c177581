import { DatabaseSync } from "node:sqlite";

/** The tables as rfs makes them (its schema/schema.sql), written down from what it says of them. */
const RFS_SCHEMA = `
CREATE TABLE IF NOT EXISTS inode (ino INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER, name VARCHAR(255), size INTEGER,
  uid INTEGER, gid INTEGER, mode INTEGER, rdev INTEGER, ctime INTEGER, mtime INTEGER);
CREATE INDEX IF NOT EXISTS parents ON inode (parent);
CREATE TABLE IF NOT EXISTS extra (ino INTEGER PRIMARY KEY, data VARCHAR(4096));
CREATE TABLE IF NOT EXISTS block (ino INTEGER, id VARCHAR(32), key VARCHAR(32));
CREATE INDEX IF NOT EXISTS block_ino ON block (ino);
CREATE TABLE IF NOT EXISTS tag (key VARCHAR(10) PRIMARY KEY, value VARCHAR(255));
CREATE TABLE IF NOT EXISTS route (start integer, end integer, url VARCHAR(2048));`;

/** A row of the table of files; what is not given is harmless. */
export interface HandMadeInode {
  readonly ino: number;
  readonly parent?: number;
  readonly name?: string | Uint8Array | number | null;
  readonly size?: number | bigint | string;
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number | string;
  readonly rdev?: number | bigint;
  readonly mtime?: number;
  readonly target?: string | Uint8Array;
  readonly blocks?: readonly { readonly id: Uint8Array; readonly key: Uint8Array }[];
}

export const ROOT: HandMadeInode = { ino: 1, parent: 0, name: "/", mode: 0o40755 };

/** Makes an flist row by row, well or badly. `after` is run at the end. */
export function makeFlist(
  path: string,
  inodes: readonly HandMadeInode[],
  { routes = [], after = "" }: { routes?: readonly string[]; after?: string } = {},
): string {
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA synchronous = OFF; ${RFS_SCHEMA}`);
  const insert = database.prepare("INSERT INTO inode VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const inode of inodes) {
    const {
      ino,
      parent = 1,
      name = `f${ino}`,
      size = 0,
      uid = 0,
      gid = 0,
      mode = 0o100644,
      rdev = 0,
      mtime = 0,
    } = inode;
    insert.run(ino, parent, name, size, uid, gid, mode, rdev, 0, mtime);
    if (inode.target !== undefined) {
      const data = typeof inode.target === "string" ? Buffer.from(inode.target) : inode.target;
      database.prepare("INSERT INTO extra VALUES (?, ?)").run(ino, data);
    }
    for (const { id, key } of inode.blocks ?? [])
      database.prepare("INSERT INTO block VALUES (?, ?, ?)").run(ino, id, key);
  }
  for (const url of routes) database.prepare("INSERT INTO route VALUES (0, 255, ?)").run(url);
  if (after !== "") database.exec(after);
  database.close();
  return path;
}
