import { chmodSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isHuskError, systemCode } from "../errors/index.ts";
import { runMkfs } from "../storage/mkfs.ts";
import { REHEARSAL_PROGRAM, rehearsalProgram } from "./rehearsal-program.ts";

/**
 * Bytes that the disk has to the guest, 1 PiB, of which next to nothing is there. The guest looks at its size once, and later
 * has the disks of pods in its place, none of which may be larger than that.
 */
const SEEN_BYTES = 2 ** 50;

/** Whether a placeholder is there, and as large as it must be. */
export function isPlaceholder(path: string): boolean {
  try {
    return statSync(path).size === SEEN_BYTES;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Makes the disk that a VM has until it gets a pod's own: an image with a program to rehearse with. On a host that cannot pack
 * one it is empty, and nothing is rehearsed.
 * @param folder a directory that is the caller's, to work in
 * @throws HuskError ERR_ABORTED
 */
export async function makePlaceholder(path: string, folder: string, signal?: AbortSignal): Promise<void> {
  const root = join(folder, "root");
  const image = join(folder, "image");
  mkdirSync(root, { recursive: true, mode: 0o700 });
  try {
    chmodSync(root, 0o755);
    writeFileSync(join(root, REHEARSAL_PROGRAM), rehearsalProgram(), { mode: 0o755 });
    await runMkfs(image, root, signal).catch((error: unknown) => {
      if (!isHuskError(error, "ERR_ROOTFS_BUILD")) throw error;
      writeFileSync(image, "");
    });
    truncateSync(image, SEEN_BYTES);
    renameSync(image, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
