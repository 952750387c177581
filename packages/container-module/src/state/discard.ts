import { randomBytes } from "node:crypto";
import { type Dirent, existsSync, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf } from "@husk/virtcontainers/internals";
import { removeTree } from "../flist/unpack/remove-tree.ts";
import { readNames } from "./claim.ts";
import { type ContainerPlaces, trashDirectory } from "./layout.ts";

/** In the name of what could not be removed: nobody is at work on it any more. */
const LEFT = "left-";

/** What has become of the directory of a container. */
export interface Discarded {
  /** no other container of the namespace is left */
  readonly wasLast: boolean;
  /** why some of it is still in the trash, if it is */
  readonly problem?: string;
}

/**
 * Removes the directory of a container with all that is in it. Its name is free at once; what a killed process, or the file system,
 * leaves of the rest is removed another time.
 */
export async function discardDirectory(
  stateRoot: string,
  { directory }: Pick<ContainerPlaces, "directory">,
): Promise<Discarded> {
  const trash = trashDirectory(stateRoot);
  mkdirSync(trash, { recursive: true, mode: 0o700 });
  const grave = join(trash, randomBytes(8).toString("hex"));
  renameSync(directory, grave);
  const wasLast = removeEmpty(dirname(directory));
  try {
    await removeTree(grave);
    return { wasLast };
  } catch (error) {
    const left = setAside(grave);
    return left ? { wasLast, problem: `${left} cannot be removed: ${messageOf(error)}` } : { wasLast };
  }
}

/** @returns where it is; undefined when somebody who empties the trash has removed it */
function setAside(grave: string): string | undefined {
  const left = join(dirname(grave), LEFT + basename(grave));
  try {
    renameSync(grave, left);
    return left;
  } catch {
    return existsSync(grave) ? grave : undefined;
  }
}

/** Removes what killed processes left of containers that are no more. What the file system keeps is tried again another time. */
export async function emptyTrash(stateRoot: string): Promise<void> {
  await emptyGraves(stateRoot, () => true);
}

/** Removes what the file system has kept in the trash, if it lets go of it now: nobody who asks for something else is refused for that. */
export async function clearKept(stateRoot: string): Promise<void> {
  await emptyGraves(stateRoot, (name) => name.startsWith(LEFT)).catch(() => {});
}

async function emptyGraves(stateRoot: string, isOurs: (name: string) => boolean): Promise<void> {
  const trash = trashDirectory(stateRoot);
  // It holds up nobody: its name is free.
  for (const name of readNames(trash).filter(isOurs)) await removeTree(join(trash, name)).catch(() => {});
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
