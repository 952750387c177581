/** Copies of folders: what an image has at the mount point of a new volume goes into the volume. */

import * as sys from "tiny:sys";
import {
  isDirectory,
  O_CREAT,
  O_EXCL,
  O_RDONLY,
  O_WRONLY,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  withFile,
} from "@husk/tiny";

const BUFFER_BYTES = 1 << 16;

/** One run of a copy: names of the same file stay so. */
class TreeCopy {
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  /** where a file with more names has gone, by device and inode */
  readonly #copied = new Map<string, string>();

  copyFolder(from: string, to: string): void {
    for (const name of sys.readdir(from)) this.#copyEntry(`${from}/${name}`, `${to}/${name}`);
    copyAttributes(from, to);
  }

  #copyEntry(from: string, to: string): void {
    const { mode, rdev, dev, ino } = sys.lstat(from);
    const kind = mode & S_IFMT;
    // A socket is its server's; without it, the name is of no use.
    if (kind === S_IFSOCK) return;
    if (kind === S_IFDIR) {
      if (!isDirectory(to)) sys.mkdir(to, 0o700);
      this.copyFolder(from, to);
      return;
    }
    if (isThere(to)) sys.unlink(to);
    const file = `${dev}:${ino}`;
    const other = this.#copied.get(file);
    if (other !== undefined) {
      sys.link(other, to);
      return;
    }
    this.#copied.set(file, to);
    if (kind === S_IFLNK) sys.symlink(sys.readlink(from), to);
    else if (kind === S_IFREG) this.#copyBytes(from, to);
    else sys.mknod(to, mode, rdev);
    copyAttributes(from, to);
  }

  #copyBytes(from: string, to: string): void {
    withFile(from, O_RDONLY, 0, (source) =>
      withFile(to, O_WRONLY | O_CREAT | O_EXCL, 0o600, (target) => {
        for (;;) {
          const count = sys.read(source, this.#buffer, 0, BUFFER_BYTES);
          if (count <= 0) return;
          for (let at = 0; at < count; ) at += sys.write(target, this.#buffer, at, count - at);
        }
      }),
    );
  }
}

function copyAttributes(from: string, to: string): void {
  const { mode, uid, gid, mtime } = sys.lstat(from);
  sys.lchown(to, uid, gid);
  // A change of owner takes away set-user-id bits and file capabilities, so these come after it.
  if ((mode & S_IFMT) !== S_IFLNK) sys.chmod(to, mode & 0o7777);
  sys.copyXattrs(from, to);
  sys.setMtime(to, mtime);
}

function isThere(path: string): boolean {
  try {
    sys.lstat(path);
    return true;
  } catch {
    return false;
  }
}

/** Makes a folder of the same mode, owner and attributes as another, without what is in that. */
export function copyEmptyFolder(from: string, to: string): void {
  sys.mkdir(to, 0o755);
  const [{ mode, uid, gid }, own] = [sys.lstat(from), sys.lstat(to)];
  if (uid !== own.uid || gid !== own.gid) sys.lchown(to, uid, gid);
  if (mode !== own.mode || uid !== own.uid || gid !== own.gid) sys.chmod(to, mode & 0o7777);
  sys.copyXattrs(from, to);
}

/**
 * Copies what is in a folder into another one, and makes that like the first: files, folders, links, devices, with
 * owners, modes, times and extended attributes. Files of the same name are replaced.
 */
export function copyTree(from: string, to: string): void {
  new TreeCopy().copyFolder(from, to);
}
