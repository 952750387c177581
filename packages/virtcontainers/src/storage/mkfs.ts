import { HuskError } from "../errors/index.ts";
import { runCommand } from "../host-command.ts";

/**
 * Packs a directory into an erofs image by mkfs.erofs, uncompressed: a decompressor costs the guest more than the disk.
 * @throws HuskError ERR_ROOTFS_BUILD with the program's own words, ERR_ABORTED
 */
export async function runMkfs(
  image: string,
  directory: string,
  signal?: AbortSignal | undefined,
): Promise<void> {
  const words = await runCommand("mkfs.erofs", ["--quiet", "--preserve-mtime", image, directory], { signal });
  if (words !== undefined) throw new HuskError("ERR_ROOTFS_BUILD", `${directory} cannot be packed: ${words}`);
}
