import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync, type Stats, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { HuskError, messageOf, systemCode } from "../errors/index.ts";
import { fingerprintTree } from "./fingerprint.ts";
import { pruneImages, useImage } from "./image-cache.ts";
import { detectImageFormat } from "./image-format.ts";
import { runMkfs } from "./mkfs.ts";

/** A root file system as a disk image. */
export interface RootfsImage {
  /** path on the host */
  readonly path: string;
  readonly fstype: string;
}

/** How a root file system is turned into an image. */
export interface RootfsOptions {
  readonly cache: string;
  readonly signal?: AbortSignal | undefined;
  readonly mark?: ((phase: string) => void) | undefined;
}

const MAX_ATTEMPTS = 3;

/**
 * The disk image of a root file system: an image file as it is, a directory packed into an erofs image, which is kept in
 * the cache as long as the directory stays as it is.
 * @throws HuskError ERR_ROOTFS_MISSING, ERR_ROOTFS_BUILD, ERR_ROOTFS_CHANGED, ERR_ABORTED
 */
export async function prepareRootfs(rootFs: string, options: RootfsOptions): Promise<RootfsImage> {
  const { path, stats } = statRootfs(rootFs);
  if (!stats.isDirectory()) return { path, fstype: identifyImage(path) };
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const image = await packDirectory(path, options);
    if (image) return { path: image, fstype: "erofs" };
  }
  throw new HuskError("ERR_ROOTFS_CHANGED", `${path} was changed each time while it was packed`);
}

/**
 * What lies at the path of a root file system.
 * @throws HuskError ERR_ROOTFS_MISSING
 */
export function statRootfs(rootFs: string): { path: string; stats: Stats } {
  const path = resolve(rootFs);
  try {
    return { path, stats: statSync(path) };
  } catch (error) {
    const why = systemCode(error) === "ENOENT" ? "does not exist" : `cannot be read (${systemCode(error)})`;
    throw new HuskError("ERR_ROOTFS_MISSING", `the root file system ${why}: ${path}`, { cause: error });
  }
}

function identifyImage(path: string): string {
  try {
    const stats = statSync(path);
    const fstype = stats.isFile() || stats.isBlockDevice() ? detectImageFormat(path) : undefined;
    if (fstype) return fstype;
  } catch (error) {
    throw new HuskError("ERR_ROOTFS_MISSING", `the root file system cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const text = `the root file system is neither a directory nor an erofs, ext4 or squashfs image: ${path}`;
  throw new HuskError("ERR_ROOTFS_MISSING", text);
}

function fingerprint(path: string): string {
  try {
    return fingerprintTree(path);
  } catch (error) {
    throw new HuskError("ERR_ROOTFS_BUILD", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function makeCache(cache: string): string {
  const directory = join(cache, "rootfs");
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new HuskError("ERR_STORE", `the cache cannot be made: ${messageOf(error)}`, { cause: error });
  }
  return directory;
}

/** @returns undefined when the directory was changed meanwhile */
async function packDirectory(path: string, options: RootfsOptions): Promise<string | undefined> {
  const before = fingerprint(path);
  const directory = makeCache(options.cache);
  const name = `${before}.erofs`;
  const image = join(directory, name);
  if (await useImage(directory, name)) return image;
  // Concurrent builders each make their own and the last rename wins: all are the same.
  const temporary = join(directory, `.new-${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    await runMkfs(temporary, path, options.signal);
    options.mark?.("rootfs-packed");
    if (fingerprint(path) !== before) return undefined;
    renameSync(temporary, image);
    // That there is too much must not keep anybody from what there is.
    await pruneImages(directory).catch(() => {});
    return image;
  } catch (error) {
    if (error instanceof HuskError) throw error;
    throw new HuskError("ERR_ROOTFS_BUILD", `${path} cannot be packed: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    rmSync(temporary, { force: true });
  }
}
