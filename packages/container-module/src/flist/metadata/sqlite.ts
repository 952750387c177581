import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

/**
 * Node's own SQLite, loaded when it is needed first. Node prints a warning then that this module is experimental, which
 * means nothing to who unpacks an flist.
 */
function loadSqlite(): typeof import("node:sqlite") {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Opens a database of somebody else's for reading: what is written beside it (journals) is not looked at, and nothing in
 * its schema can call a function.
 * @throws Error when the file cannot be opened
 */
export function openUntrustedDatabase(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  const database = new (loadSqlite().DatabaseSync)(url, { readOnly: true, allowExtension: false });
  try {
    database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Makes a new database. @throws Error when the file cannot be made */
export function createDatabase(path: string): DatabaseSync {
  return new (loadSqlite().DatabaseSync)(path);
}
