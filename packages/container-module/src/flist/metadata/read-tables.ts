import type { DatabaseSync } from "node:sqlite";
import { HASH_BYTES } from "../blocks/block-codec.ts";
import { invalidFlist } from "./invalid-flist.ts";
import type { FlistLimits } from "./limits.ts";
import {
  MAX_NAME_BYTES,
  MAX_TAG_BYTES,
  MAX_TAG_KEY_BYTES,
  MAX_TARGET_BYTES,
  MAX_URL_BYTES,
} from "./limits.ts";

/** A row of any table: nothing is known of it yet. */
export type Row = Readonly<Record<string, unknown>>;

/** A table as we read it, and the columns that we read. */
interface Table {
  readonly name: string;
  readonly select: string;
  readonly columns: readonly string[];
}

/** Text as bytes, one more than there may be, so that too much is seen and no more is read. */
function bytes(column: string, most: number): string {
  return `substr(CAST(${column} AS BLOB), 1, ${most + 1}) AS ${column}`;
}

const INODES: Table = {
  name: "inode",
  select: `ino, parent, ${bytes("name", MAX_NAME_BYTES)}, size, uid, gid, mode, rdev, mtime`,
  columns: ["ino", "parent", "name", "size", "uid", "gid", "mode", "rdev", "mtime"],
};
const EXTRAS: Table = {
  name: "extra",
  select: `ino, ${bytes("data", MAX_TARGET_BYTES)}`,
  columns: ["ino", "data"],
};
const BLOCKS: Table = {
  name: "block",
  select: `ino, ${bytes("id", HASH_BYTES)}, ${bytes("key", HASH_BYTES)}`,
  columns: ["ino", "id", "key"],
};
const ROUTES: Table = {
  name: "route",
  select: `"start", "end", ${bytes("url", MAX_URL_BYTES)}`,
  columns: ["start", "end", "url"],
};
const TAGS: Table = {
  name: "tag",
  select: `${bytes("key", MAX_TAG_KEY_BYTES)}, ${bytes("value", MAX_TAG_BYTES)}`,
  columns: ["key", "value"],
};

/** Whoever reads the rows of an flist, table by table, in this order. */
export interface TableVisitor {
  inode(row: Row): void;
  extra(row: Row): void;
  block(row: Row): void;
  route(row: Row): void;
  tag(row: Row): void;
}

/**
 * Reads all rows of an flist's tables, each table from its beginning to its end: no index, count or search is used, which a
 * file could have made wrong or endless.
 * @throws HuskError ERR_FLIST_INVALID when a table is missing, is none, or has too many rows
 */
export function readTables(database: DatabaseSync, limits: FlistLimits, visitor: TableVisitor): void {
  const tables = checkSchema(database);
  scan(database, INODES, limits.maxEntries, (row) => visitor.inode(row));
  scan(database, EXTRAS, limits.maxEntries, (row) => visitor.extra(row));
  scan(database, BLOCKS, limits.maxBlocks, (row) => visitor.block(row));
  scan(database, ROUTES, limits.maxRoutes, (row) => visitor.route(row));
  if (tables.has(TAGS.name)) scan(database, TAGS, limits.maxTags, (row) => visitor.tag(row));
}

function scan(
  database: DatabaseSync,
  { name, select }: Table,
  maxRows: number,
  visit: (row: Row) => void,
): void {
  const query = `SELECT rowid AS at, ${select} FROM ${name} NOT INDEXED ORDER BY rowid`;
  let [count, last] = [0, Number.NEGATIVE_INFINITY];
  for (const row of database.prepare(query).iterate()) {
    count += 1;
    if (count > maxRows) throw invalidFlist(`more than ${maxRows} rows in the table ${name}`);
    // A file made so that a page is met again and again would go on for ever; its rows are not in order.
    const at = Number(row.at);
    if (!(at > last)) throw invalidFlist(`the rows of the table ${name} are not in order`);
    last = at;
    visit(row);
  }
}

/** Sees that what we read are tables: a view, a virtual table or a computed column would run what the file says. */
function checkSchema(database: DatabaseSync): ReadonlySet<string> {
  const found = new Set<string>();
  const schema = database.prepare("SELECT type, name, rootpage FROM sqlite_schema LIMIT 100").all();
  const ours = [INODES, EXTRAS, BLOCKS, ROUTES, TAGS];
  for (const { type, name, rootpage } of schema) {
    const table = ours.find((one) => one.name === String(name).toLowerCase());
    if (type === "index" || !table) continue;
    if (type !== "table" || !(Number(rootpage) > 0)) throw invalidFlist(`${table.name} is no table`);
    checkColumns(database, table);
    found.add(table.name);
  }
  for (const { name } of ours) {
    if (name !== TAGS.name && !found.has(name)) throw invalidFlist(`there is no table ${name}`);
  }
  return found;
}

function checkColumns(database: DatabaseSync, { name, columns }: Table): void {
  const found = database.prepare(`PRAGMA table_xinfo(${name})`).all();
  if (found.some(({ hidden }) => hidden !== 0)) throw invalidFlist(`the table ${name} computes columns`);
  const names = new Set(found.map((column) => String(column.name).toLowerCase()));
  // A column of that name would stand for the number that SQLite gives to a row, by which we go.
  const hiding = ["rowid", "oid", "_rowid_"].find((column) => names.has(column));
  if (hiding) throw invalidFlist(`the table ${name} has a column ${hiding}`);
  const missing = columns.find((column) => !names.has(column));
  if (missing) throw invalidFlist(`the table ${name} has no column ${missing}`);
}
