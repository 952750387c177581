import { lstat, mkdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "@husk/virtcontainers/internals";
import type { FlistLimits } from "../flist/metadata/limits.ts";
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from "../flist/metadata/limits.ts";
import { invalidImage } from "./invalid-image.ts";

/** Symbolic links on one way at most, as Linux has it. */
const MAX_LINKS = 40;

/**
 * Takes a path of a layer apart.
 * @throws HuskError ERR_IMAGE_INVALID when it leads upwards or is too long
 */
export function splitLayerPath(path: string, limits: FlistLimits): string[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const tooLong =
    Buffer.byteLength(path) > MAX_PATH_BYTES ||
    names.length > limits.maxDepth ||
    names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
  if (tooLong) throw invalidImage(`a layer has a path that is too long: ${path.slice(0, 100)}…`);
  if (names.includes("..") || path.includes("\0")) {
    throw invalidImage(`a layer has the path ${JSON.stringify(path)}, which leads out of it`);
  }
  return names;
}

/**
 * Finds where a directory of a root really is: symbolic links on the way lead to where they would lead for a process that
 * has that root. What is missing is made. Nobody else may write to the root meanwhile.
 * @returns its names from the root
 */
export async function resolveDirectory(root: string, names: readonly string[]): Promise<string[]> {
  const ahead = names.toReversed();
  const found: string[] = [];
  let links = 0;
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      found.pop();
      continue;
    }
    const path = join(root, ...found, name);
    const kind = await kindAt(path);
    if (kind === "link") {
      links += 1;
      if (links > MAX_LINKS) throw invalidImage(`${names.join("/")} leads over more than ${MAX_LINKS} links`);
      const target = await readlink(path);
      if (target.startsWith("/")) found.length = 0;
      ahead.push(...target.split("/").toReversed());
      continue;
    }
    if (kind === "other") throw invalidImage(`${names.join("/")} leads through a file`);
    if (kind === "none") await mkdir(path, 0o755);
    found.push(name);
  }
  return found;
}

/** What stands at a path. */
async function kindAt(path: string): Promise<"none" | "link" | "directory" | "other"> {
  try {
    const stats = await lstat(path);
    return stats.isSymbolicLink() ? "link" : stats.isDirectory() ? "directory" : "other";
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "none";
    throw error;
  }
}
