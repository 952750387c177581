import { type FileHandle, open } from "node:fs/promises";
import type { CopyFileRequest } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import { HuskError, messageOf } from "../../errors/index.ts";

/** Bytes of one piece; gRPC takes messages of 4 MiB, and the agent has little memory. */
const PIECE_BYTES = 512 * 1024;
/** Pieces on their way at a time. */
const PIECES_AHEAD = 2;
/** Mode of directories that have to be made in the guest. */
const DIRECTORY_MODE = 0o750;

/**
 * Sends a regular file of the host in pieces, one of them empty when the file is.
 * @throws HuskError ERR_MOUNT_SOURCE_MISSING, ERR_CONFIG_INVALID, and what `send` throws
 */
export async function copyFileBy(
  send: (request: MessageInit<CopyFileRequest>) => Promise<unknown>,
  source: string,
  destination: string,
): Promise<void> {
  await using file = await openSource(source);
  const { size, mode, uid, gid } = await file.stat();
  const common = {
    path: destination,
    fileSize: BigInt(size),
    fileMode: mode,
    dirMode: DIRECTORY_MODE,
    uid,
    gid,
  };
  const onTheirWay: Promise<unknown>[] = [];
  for (let offset = 0; offset < size || offset === 0; offset += PIECE_BYTES) {
    const data = await readPiece(file, source, offset, Math.min(PIECE_BYTES, size - offset));
    // The last piece, which makes the file appear, goes when the others have come.
    const isLast = offset + PIECE_BYTES >= size;
    while (onTheirWay.length >= (isLast ? 1 : PIECES_AHEAD)) await onTheirWay.shift();
    const sent = send({ ...common, offset: BigInt(offset), data });
    // Its failure is told when its turn comes; another may come first.
    sent.catch(() => {});
    onTheirWay.push(sent);
  }
  await Promise.all(onTheirWay);
}

async function openSource(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    const text = `the file to copy cannot be opened: ${messageOf(error)}`;
    throw new HuskError("ERR_MOUNT_SOURCE_MISSING", text, { cause: error });
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new HuskError("ERR_CONFIG_INVALID", `${path} is not a regular file`);
}

async function readPiece(file: FileHandle, path: string, offset: number, length: number): Promise<Buffer> {
  const piece = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(piece, filled, length - filled, offset + filled);
    if (bytesRead === 0) {
      throw new HuskError("ERR_CONFIG_INVALID", `${path} has become shorter while it was copied`);
    }
    filled += bytesRead;
  }
  return piece;
}
