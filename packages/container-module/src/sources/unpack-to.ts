import { existsSync, readdirSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { resolve } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, runCommand } from "@husk/virtcontainers/internals";
import { claimAside } from "../flist/unpack/aside.ts";
import type { UnpackOptions, UnpackResult } from "../flist/unpack/progress.ts";
import { removeTree } from "../flist/unpack/remove-tree.ts";
import type { PackedSource } from "./root-source.ts";

/**
 * Unpacks a source into a directory that does not exist yet, or is empty. It is there when it is whole; what a failure has
 * made is removed.
 * @throws HuskError ERR_CONFIG_INVALID when something is there; what `PackedSource.unpack` throws
 */
export async function unpackTo(
  source: PackedSource,
  directory: string,
  options: UnpackOptions = {},
): Promise<UnpackResult> {
  const target = resolve(directory);
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new HuskError("ERR_CONFIG_INVALID", `${directory} is not empty`, {
      hint: "Name a directory that does not exist yet.",
    });
  }
  return unpackAside(source, await claimAside(target), target, options);
}

/** Unpacks into one directory, and gives it its name when all of it is on the disk. */
export async function unpackAside(
  source: PackedSource,
  temporary: string,
  target: string,
  options: UnpackOptions,
): Promise<UnpackResult> {
  try {
    // Until its root has its own mode, nobody else may look into it.
    await mkdir(temporary, { mode: 0o700 });
    const result = await source.unpack(temporary, options);
    await syncFileSystem(temporary, options.signal);
    await rename(temporary, target);
    return result;
  } catch (error) {
    await removeTree(temporary);
    if (error instanceof HuskError) throw error;
    throw new HuskError("ERR_ROOTFS_BUILD", `${target} cannot be made: ${messageOf(error)}`, {
      hint: "See that there is room, and that you may write there.",
      cause: error,
    });
  }
}

/** After a power cut there may not be a root that has its name and lacks contents. */
async function syncFileSystem(path: string, signal: AbortSignal | undefined): Promise<void> {
  const failure = await runCommand("sync", ["-f", path], { signal });
  if (failure !== undefined)
    throw new HuskError("ERR_ROOTFS_BUILD", `${path} cannot be written to disk: ${failure}`);
}
