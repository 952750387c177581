import { type Stats, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { messageOf } from "@husk/virtcontainers/internals";
import { DEFAULT_LIMITS } from "../flist/metadata/limits.ts";
import { findManifest } from "../oci/find-manifest.ts";
import { unpackImage } from "../oci/unpack-image.ts";
import { isWebAddress } from "./fetch-flist.ts";
import { openFlistSource } from "./flist-source.ts";
import type { PackedSource, RootSource, SourceOptions } from "./root-source.ts";

const SQLITE_MAGIC = Buffer.from("SQLite format 3\0");
const GZIP_MAGIC = Buffer.of(0x1f, 0x8b);

/**
 * Opens what a root file system is made of: an flist (a file, or an http(s) address), an OCI image layout (its directory, or
 * `DIRECTORY:TAG`), or a directory that is one already. What it is, is seen from what is there, not from its name.
 * @throws HuskError ERR_ROOTFS_MISSING, ERR_FLIST_INVALID, ERR_IMAGE_INVALID, ERR_NOT_SUPPORTED, ERR_CONFIG_INVALID,
 * ERR_ABORTED
 */
export async function openSource(reference: string, options: SourceOptions = {}): Promise<RootSource> {
  if (isWebAddress(reference)) return openFlistSource(reference, options);
  const { path, tag, stats } = findPath(reference);
  if (stats.isDirectory()) {
    if (tag !== undefined || isLayout(path)) return openLayout(path, tag, options);
    return { kind: "directory", path, [Symbol.dispose]() {} };
  }
  if (!stats.isFile()) throw new HuskError("ERR_ROOTFS_MISSING", `${path} is neither a file nor a directory`);
  await checkFlistFile(path);
  return openFlistSource(path, options);
}

function findPath(reference: string): { path: string; tag: string | undefined; stats: Stats } {
  try {
    return { path: resolve(reference), tag: undefined, stats: statSync(reference) };
  } catch (cause) {
    const colon = reference.lastIndexOf(":");
    const [directory, tag] = [reference.slice(0, colon), reference.slice(colon + 1)];
    const stats = colon > 0 ? statSync(directory, { throwIfNoEntry: false }) : undefined;
    if (stats && isLayout(directory)) return { path: resolve(directory), tag, stats };
    throw new HuskError("ERR_ROOTFS_MISSING", `${reference} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

function isLayout(directory: string): boolean {
  return statSync(join(directory, "oci-layout"), { throwIfNoEntry: false })?.isFile() ?? false;
}

async function openLayout(
  path: string,
  tag: string | undefined,
  options: SourceOptions,
): Promise<PackedSource> {
  const manifest = await findManifest(path, tag);
  return {
    kind: "oci",
    fingerprint: manifest.digest.replace(":", "-"),
    unpack: (target, how) => unpackImage(path, manifest, target, options.limits ?? DEFAULT_LIMITS, how),
    [Symbol.dispose]() {},
  };
}

async function checkFlistFile(path: string): Promise<void> {
  const head = await readHead(path);
  if (head.equals(SQLITE_MAGIC)) return;
  if (head.length === 0) throw new HuskError("ERR_FLIST_INVALID", `${path} is empty`);
  if (head.subarray(0, 2).equals(GZIP_MAGIC)) {
    throw new HuskError("ERR_NOT_SUPPORTED", `${path} is compressed: an flist of version 1 (.flist)?`, {
      hint: "husk reads .fl, which rfs makes.",
    });
  }
  throw new HuskError("ERR_FLIST_INVALID", `${path} is no flist`);
}

async function readHead(path: string): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(SQLITE_MAGIC.length),
        0,
        SQLITE_MAGIC.length,
        0,
      );
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new HuskError("ERR_ROOTFS_MISSING", `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
