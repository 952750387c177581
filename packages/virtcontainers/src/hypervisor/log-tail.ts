import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { cleanText } from "../untrusted-text.ts";

const MAX_TAIL_BYTES = 8192;

/**
 * The last lines of a log, or those from a kernel's panic on. A guest writes it, and it goes to a terminal: control characters are taken out, and no more
 * than 8 KiB are read.
 */
export function readLogTail(path: string, lines = 25): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, MAX_TAIL_BYTES));
    const read = readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    const clean = cleanText(buffer.toString("utf8", 0, read));
    const all = clean.trimEnd().split("\n");
    // A panic says what it is first, and then much that few can read.
    const panic = all.findLastIndex((line) => line.includes("Kernel panic"));
    const from = panic === -1 ? Math.max(0, all.length - lines) : panic;
    return all
      .slice(from, from + lines)
      .join("\n")
      .trim();
  } catch {
    return "";
  } finally {
    closeSync(fd);
  }
}

/** A message with the last lines of a log behind it, if there are any. */
export function withLogTail(message: string, title: string, path: string): string {
  const tail = readLogTail(path);
  return tail ? `${message}; ${title}:\n${tail.replace(/^/gm, "  | ")}` : `${message}; ${title}: (nothing)`;
}
