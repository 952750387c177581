import { invalidFlist, quoteShort } from "./invalid-flist.ts";
import type { Row } from "./read-tables.ts";

/** Reads a whole number of a row that must be within bounds. @throws HuskError ERR_FLIST_INVALID */
export function readInteger(row: Row, column: string, least: number, most: number): number {
  const value = row[column];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
    throw invalidFlist(`${column} ${quoteShort(String(value))} is no whole number from ${least} to ${most}`);
  }
  return value;
}

/** Reads bytes of a row. @throws HuskError ERR_FLIST_INVALID */
export function readBytes(row: Row, column: string, most: number): Uint8Array {
  // Node gives no bytes and nothing at all alike.
  const value = row[column] ?? new Uint8Array();
  if (!(value instanceof Uint8Array)) throw invalidFlist(`${column} is missing`);
  if (value.length > most) throw invalidFlist(`${column} has more than ${most} bytes`);
  return value;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads text of a row. @throws HuskError ERR_FLIST_INVALID, also when it is not in UTF-8 or has a NUL */
export function readText(row: Row, column: string, most: number): string {
  const bytes = readBytes(row, column, most);
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    const shown = quoteShort(Buffer.from(bytes).toString("latin1"));
    throw invalidFlist(`${column} ${shown} is not in UTF-8`, cause);
  }
  if (text.includes("\0")) throw invalidFlist(`${column} ${quoteShort(text)} has a NUL in it`);
  return text;
}
