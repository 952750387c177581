import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { HuskError } from "@husk/virtcontainers";
import { MAX_PLAIN_BYTES } from "../blocks/block-codec.ts";

/**
 * Gives a file in pieces of a block each, the last one shorter.
 * @throws HuskError ERR_ROOTFS_CHANGED when it changes meanwhile
 */
export async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const before = await file.stat();
    let length = 0;
    for (;;) {
      const piece = await readPiece(file);
      if (piece.length === 0) break;
      length += piece.length;
      yield piece;
    }
    const after = await file.stat();
    if (
      !before.isFile() ||
      before.size !== length ||
      after.size !== length ||
      after.ctimeMs !== before.ctimeMs
    ) {
      throw new HuskError("ERR_ROOTFS_CHANGED", `${path} changed while it was packed`);
    }
  } finally {
    await file.close();
  }
}

async function readPiece(file: FileHandle): Promise<Uint8Array> {
  const piece = Buffer.allocUnsafe(MAX_PLAIN_BYTES);
  let filled = 0;
  while (filled < piece.length) {
    const { bytesRead } = await file.read(piece, filled, piece.length - filled, null);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return piece.subarray(0, filled);
}
