/** Files of the guest. Reference: virtcontainers.md 8.2. */

import { errorText, isSystemError } from "@husk/tiny";
import type { AgentService, CopyFileRequest } from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { takePiece } from "../core/files/incoming-file.ts";
import type { Methods } from "./services.ts";

/** A number of bytes, which a file of more than that cannot have. */
function toBytes(value: bigint, path: string): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new TtrpcError(StatusCode.INVALID_ARGUMENT, `${path}: ${value} is no number of bytes`);
  return Number(value);
}

function copyFile({ path, fileSize, fileMode, dirMode, uid, gid, offset, data }: CopyFileRequest): object {
  const piece = { path, mode: fileMode, folderMode: dirMode, uid, gid, data };
  try {
    takePiece({ ...piece, size: toBytes(fileSize, path), offset: toBytes(offset, path) });
    return {};
  } catch (error) {
    if (error instanceof TtrpcError) throw error;
    // What the kernel says is not the request's fault; what we say is.
    const code = isSystemError(error) ? StatusCode.INTERNAL : StatusCode.INVALID_ARGUMENT;
    throw new TtrpcError(code, errorText(error));
  }
}

export const fileMethods: Methods<typeof AgentService> = { CopyFile: copyFile };
