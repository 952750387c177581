import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { HuskError, systemCode } from "../../errors/index.ts";
import { readHead } from "../../read-head.ts";
import { detectImageFormat, type ImageFormat } from "../../storage/image-format.ts";

/** @throws HuskError ERR_ASSET_MISSING when the file cannot be read */
export function checkAsset(what: string, path: string | undefined): string {
  if (path === undefined) throw new HuskError("ERR_ASSET_MISSING", `${what} is not given`);
  try {
    accessSync(path, constants.R_OK);
    if (statSync(path).isFile()) return path;
  } catch (error) {
    const why = systemCode(error) === "ENOENT" ? "does not exist" : `cannot be read (${systemCode(error)})`;
    throw new HuskError("ERR_ASSET_MISSING", `${what} ${why}: ${path}`, { cause: error });
  }
  throw new HuskError("ERR_ASSET_MISSING", `${what} is not a file: ${path}`);
}

/**
 * What a guest image is, by its first bytes: an initramfs (a cpio archive (newc), or one compressed with gzip), or a disk
 * with a file system.
 * @throws HuskError ERR_NOT_SUPPORTED for another kind of image
 */
export function identifyGuestImage(path: string): "initramfs" | ImageFormat {
  if (isInitramfs(path)) return "initramfs";
  const fstype = detectImageFormat(path);
  if (fstype) return fstype;
  const hint =
    "Give a cpio archive (newc), bare or compressed with gzip, or an erofs, ext4 or squashfs image.";
  const text = `hypervisorConfig.imagePath is neither an initramfs nor a disk image: ${path}`;
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint });
}

/** @throws HuskError ERR_NOT_SUPPORTED when the file is no initramfs */
export function checkInitramfs(path: string): void {
  if (isInitramfs(path)) return;
  const hint = "Give an initramfs: a cpio archive (newc), bare or compressed with gzip.";
  throw new HuskError("ERR_NOT_SUPPORTED", `hypervisorConfig.initrdPath is no initramfs: ${path}`, { hint });
}

function isInitramfs(path: string): boolean {
  const head = readHead(path, 6);
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  return isGzip || head.toString("latin1") === "070701";
}

/** @throws HuskError ERR_QEMU_MISSING when the program is not there or cannot be executed */
export function findProgram(program: string): string {
  const places = program.includes("/")
    ? [program]
    : (process.env.PATH ?? "/usr/bin").split(delimiter).map((directory) => join(directory, program));
  for (const place of places) {
    try {
      accessSync(place, constants.X_OK);
      if (statSync(place).isFile()) return place;
    } catch {
      // The next place may have it.
    }
  }
  throw new HuskError("ERR_QEMU_MISSING", `there is no QEMU at ${program} that can be executed`);
}
