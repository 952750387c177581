import { randomBytes } from "node:crypto";
import { type Dirent, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeTree } from "../flist/unpack/remove-tree.ts";
import { readNames } from "./claim.ts";
import { type ContainerPlaces, trashDirectory } from "./layout.ts";

/**
 * Removes the directory of a container with all that is in it. Its name is free at once; what a killed process leaves of the rest
 * is removed by `emptyTrash`.
 * @returns whether no other container of the namespace is left
 */
export async function discardDirectory(stateRoot: string, { directory }: ContainerPlaces): Promise<boolean> {
  const trash = trashDirectory(stateRoot);
  mkdirSync(trash, { recursive: true, mode: 0o700 });
  const grave = join(trash, randomBytes(8).toString("hex"));
  renameSync(directory, grave);
  const wasLast = removeEmpty(dirname(directory));
  await removeTree(grave);
  return wasLast;
}

/** Removes what killed processes left of containers that are no more. What the file system keeps is tried again another time. */
export async function emptyTrash(stateRoot: string): Promise<void> {
  const trash = trashDirectory(stateRoot);
  // It holds up nobody: its name is free.
  for (const name of readNames(trash)) await removeTree(join(trash, name)).catch(() => {});
}

/** Removes a directory if nothing is in it. @returns whether it is gone */
export function removeEmpty(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

/** Removes a directory with all directories in it, if there are no files: what somebody else begins to use meanwhile stays. */
export function removeEmptyTree(directory: string): void {
  const inner = readdirEntries(directory).filter((entry) => entry.isDirectory());
  for (const { name } of inner) removeEmptyTree(join(directory, name));
  removeEmpty(directory);
}

function readdirEntries(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    // It has just gone.
    return [];
  }
}
