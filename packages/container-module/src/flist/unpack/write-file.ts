import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { throwIfAborted } from "@husk/virtcontainers/internals";
import { type BlockRef, MAX_PLAIN_BYTES } from "../blocks/block-codec.ts";
import type { BlockSource } from "../blocks/block-source.ts";
import type { FlistEntry } from "../metadata/flist.ts";
import { invalidFlist, quoteShort } from "../metadata/invalid-flist.ts";

/** Blocks of a file that are fetched ahead. */
const AHEAD = 4;
const ZEROS = Buffer.alloc(MAX_PLAIN_BYTES);
/** A new file, and nothing that somebody has put in its place. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes a file out of its blocks. Blocks of zeros become holes.
 * @param onBytes called with the length of each piece
 * @throws HuskError ERR_FLIST_INVALID when the blocks together are not as long as the file; what `BlockSource.get` throws
 */
export async function writeFile(
  path: string,
  entry: FlistEntry,
  source: BlockSource,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const file = await open(path, NEW_FILE, 0o600);
  try {
    let length = 0;
    for await (const plain of fetchAhead(entry.blocks, source, signal)) {
      length += plain.length;
      if (length > entry.size) break;
      await writePiece(file, plain, length - plain.length);
      onBytes(plain.length);
    }
    if (length !== entry.size) {
      const compared = length > entry.size ? "more" : "fewer";
      throw invalidFlist(
        `${quoteShort(entry.path)}: its blocks have ${compared} than its ${entry.size} bytes`,
      );
    }
    await file.truncate(length);
  } finally {
    await file.close();
  }
}

/** Gives blocks in order, while the next ones are already on their way. */
async function* fetchAhead(
  blocks: readonly BlockRef[],
  source: BlockSource,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const coming: Promise<Uint8Array>[] = [];
  for (let next = 0; next < blocks.length || coming.length > 0; ) {
    throwIfAborted(signal);
    for (; coming.length < AHEAD && next < blocks.length; next += 1) {
      const block = source.get(blocks[next] as BlockRef, signal);
      // When one before it fails, nobody asks for it any more.
      block.catch(() => {});
      coming.push(block);
    }
    const first = coming.shift();
    if (first) yield await first;
  }
}

async function writePiece(file: FileHandle, plain: Uint8Array, position: number): Promise<void> {
  if (ZEROS.subarray(0, plain.length).equals(plain)) return;
  for (let at = 0; at < plain.length; ) {
    const { bytesWritten } = await file.write(plain, at, plain.length - at, position + at);
    at += bytesWritten;
  }
}
