/** Where a log came to: its last entries tell how much of each output is in it. */

import * as sys from "tiny:sys";
import { Errno, hasErrno, O_CLOEXEC, O_RDONLY } from "@husk/tiny";
import { parseObject } from "./parse-object.ts";
import type { OutputPositions } from "./process-link.ts";

const BLOCK_BYTES = 64 * 1024;
/** Longest line of a log: 16 KiB of control characters, each of six characters in JSON, and more. */
const MAX_LINE_BYTES = 128 * 1024;
const NEWLINE = 10;

/** Bytes of a file up to the end of its last whole line. */
export function wholeLinesBytes(fd: number): number {
  const block = new Uint8Array(BLOCK_BYTES);
  for (let end = sys.fstat(fd).size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const newline = block.subarray(0, readAt(fd, block, end - start, start)).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

/**
 * How much of each output the files of a log have; what none of them tells is 0.
 *
 * @param paths the files, the newest first; those that are not there are left out
 */
export function findPositions(paths: readonly string[]): OutputPositions {
  const found: Partial<OutputPositions> = {};
  for (const path of paths) {
    if (found.stdout !== undefined && found.stderr !== undefined) break;
    const fd = openIfThere(path);
    if (fd === undefined) continue;
    try {
      findInFile(fd, found);
    } finally {
      sys.close(fd);
    }
  }
  return { stdout: found.stdout ?? 0, stderr: found.stderr ?? 0 };
}

function openIfThere(path: string): number | undefined {
  try {
    return sys.open(path, O_RDONLY | O_CLOEXEC, 0);
  } catch (error) {
    if (hasErrno(error, Errno.ENOENT)) return undefined;
    throw error;
  }
}

function findInFile(fd: number, found: Partial<OutputPositions>): void {
  for (const line of linesFromEnd(fd, wholeLinesBytes(fd))) {
    readEntry(line, found);
    if (found.stdout !== undefined && found.stderr !== undefined) return;
  }
}

/** What stands in an entry counts where nothing behind it has said more. */
function readEntry(line: string, found: Partial<OutputPositions>): void {
  const { stream, offset, log, base64, positions } = parseObject(line);
  if ((stream === "stdout" || stream === "stderr") && typeof offset === "number")
    found[stream] ??= offset + dataBytes(log, base64);
  if (typeof positions !== "object" || positions === null) return;
  const { stdout, stderr } = positions as Record<string, unknown>;
  if (typeof stdout === "number") found.stdout ??= stdout;
  if (typeof stderr === "number") found.stderr ??= stderr;
}

function dataBytes(log: unknown, base64: unknown): number {
  if (typeof log === "string") return sys.encodeUtf8(log).length;
  if (typeof base64 !== "string") return 0;
  return (base64.length / 4) * 3 - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);
}

/** The lines of the file's first `size` bytes, the last first. */
function* linesFromEnd(fd: number, size: number): Generator<string> {
  // The part of a line whose beginning lies before `end`.
  let rest: Uint8Array = new Uint8Array(0);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const block = new Uint8Array(end - start + rest.length);
    readAt(fd, block, end - start, start);
    block.set(rest, end - start);
    const cut = start === 0 ? 0 : block.indexOf(NEWLINE) + 1 || block.length;
    const lines = sys.decodeUtf8(block.subarray(cut)).split("\n");
    for (const line of lines.reverse()) if (line !== "") yield line;
    rest = block.slice(0, Math.min(cut, MAX_LINE_BYTES));
    end = start;
  }
}

function readAt(fd: number, buffer: Uint8Array, length: number, position: number): number {
  let size = 0;
  for (let count = 1; count > 0 && size < length; size += count)
    count = sys.pread(fd, buffer, size, length - size, position + size);
  return size;
}
