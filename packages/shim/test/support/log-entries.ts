import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

/** An entry of a log. */
export interface Entry {
  time: string;
  stream: string;
  offset: number;
  log?: string;
  base64?: string;
  positions?: { stdout: number; stderr: number };
}

/** The entries of one file of a log, which must all be whole. */
export async function readEntries(path: string): Promise<Entry[]> {
  const lines = (await readFile(path, "utf8")).split("\n");
  assert.equal(lines.pop(), "", `${path} ends with a whole line`);
  return lines.map((line) => JSON.parse(line) as Entry);
}

/** The bytes of an entry. */
export function bytesOf({ log, base64 }: Entry): Buffer {
  return log === undefined ? Buffer.from(base64 ?? "", "base64") : Buffer.from(log);
}

/** The bytes of a stream in some entries, checked to be without a gap from the first one's offset on. */
export function joinStream(entries: readonly Entry[], stream: string): Buffer {
  const own = entries.filter((entry) => entry.stream === stream);
  let position = own[0]?.offset ?? 0;
  for (const entry of own) {
    assert.equal(entry.offset, position);
    position += bytesOf(entry).length;
  }
  return Buffer.concat(own.map(bytesOf));
}
