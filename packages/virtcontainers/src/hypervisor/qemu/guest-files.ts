import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { HuskError, systemCode } from "../../errors/index.ts";

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
 * Checks that the guest image is an initramfs, by its first bytes: cpio (newc), or one compressed.
 * @throws HuskError ERR_NOT_SUPPORTED for another kind of image
 */
export function checkInitramfs(path: string): void {
  const head = Buffer.alloc(6);
  const fd = openSync(path, "r");
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  const isCpio = head.toString("latin1") === "070701";
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  if (!isCpio && !isGzip) {
    const hint = "Give an initramfs: a cpio archive (newc), bare or compressed with gzip.";
    throw new HuskError("ERR_NOT_SUPPORTED", `hypervisorConfig.imagePath is no initramfs: ${path}`, { hint });
  }
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
