/** The mount points of storages: below /run, reached through no link, and held by descriptor while something is mounted. */

import * as sys from "tiny:sys";
import {
  Errno,
  hasErrno,
  MNT_DETACH,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_PATH,
  O_WRONLY,
  RESOLVE_NO_SYMLINKS,
  S_IFDIR,
  S_IFMT,
  UMOUNT_NOFOLLOW,
} from "@husk/tiny";
import {
  type GuestFolder,
  makeFolderIn,
  namesBelowRun,
  openIn,
  pathOfOpen,
  withFolder,
} from "../files/guest-folder.ts";
import type { UndoStack } from "../undo-stack.ts";
import { badStorage } from "./storage-driver.ts";

/** Mode of folders that have to be made on the way. */
const FOLDER_MODE = 0o755;

/** What a mount covers. */
type PointKind = "folder" | "file";

/** @throws TtrpcError for a path that a storage may not have */
export function checkMountPoint(path: string): string[] {
  try {
    return namesBelowRun(path);
  } catch (error) {
    throw badStorage(`mount point ${(error as Error).message}`);
  }
}

function makePoint(folder: GuestFolder, name: string, kind: PointKind): boolean {
  if (kind === "folder") return makeFolderIn(folder.fd, name);
  try {
    sys.close(openIn(folder.fd, name, O_WRONLY | O_CREAT | O_EXCL, 0o644));
    return true;
  } catch (error) {
    if (hasErrno(error, Errno.EEXIST)) return false;
    throw error;
  }
}

function removePoint(path: string, kind: PointKind): void {
  try {
    if (kind === "folder") sys.rmdir(path);
    else sys.unlink(path);
  } catch (error) {
    // Somebody has put something there, or has taken it away.
    if (!hasErrno(error, Errno.ENOTEMPTY, Errno.EBUSY, Errno.ENOENT, Errno.ENOTDIR, Errno.EROFS)) throw error;
  }
}

/** The path without what a path may have too much of. */
function plainPath(names: readonly string[]): string {
  return `/run/${names.join("/")}`;
}

/**
 * Makes the mount point, if it is not there, and calls `mount` with a path that leads to it and nowhere else, whatever
 * happens to its name meanwhile. What is mounted there then is unmounted when it is undone.
 */
export function mountAt(
  path: string,
  kind: PointKind,
  undo: UndoStack,
  mount: (target: string) => void,
): void {
  const names = checkMountPoint(path);
  const name = names.at(-1) as string;
  withFolder(names.slice(0, -1), FOLDER_MODE, (folder) => {
    if (makePoint(folder, name, kind)) undo.push(() => removePoint(plainPath(names), kind));
    const fd = openIn(folder.fd, name, O_PATH);
    try {
      if (((sys.fstat(fd).mode & S_IFMT) === S_IFDIR) !== (kind === "folder"))
        throw badStorage(`mount point "${path}" is there, and no ${kind}`);
      mount(pathOfOpen(fd));
    } finally {
      sys.close(fd);
    }
  });
  undo.push(() => sys.umount(plainPath(names), MNT_DETACH | UMOUNT_NOFOLLOW));
}

/** Calls `use` with a path that leads to what is at an absolute path of the guest. @throws TtrpcError for a link on the way */
export function withSource<T>(path: string, use: (source: string, isFolder: boolean) => T): T {
  if (!path.startsWith("/")) throw badStorage(`source "${path}" is no absolute path`);
  let fd: number;
  try {
    fd = sys.openat2(path, O_PATH | O_CLOEXEC, 0, RESOLVE_NO_SYMLINKS);
  } catch (error) {
    if (hasErrno(error, Errno.ELOOP)) throw badStorage(`source "${path}" leads through a link`);
    throw error;
  }
  try {
    return use(pathOfOpen(fd), (sys.fstat(fd).mode & S_IFMT) === S_IFDIR);
  } finally {
    sys.close(fd);
  }
}
