/** Files that the host puts into the guest, piece by piece. Reference: virtcontainers.md 8.2. */

import * as sys from "tiny:sys";
import {
  Errno,
  hasErrno,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_PATH,
  O_WRONLY,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "@husk/tiny";
import {
  type GuestFolder,
  makeFolderIn,
  NAME_BYTES,
  namesBelowRun,
  openIn,
  pathOfOpen,
  withFolder,
} from "./guest-folder.ts";

/** Mode of a file that is not complete. */
const PART_MODE = 0o600;
/** Mode of the folders that have to be made, when the host says none. */
const FOLDER_MODE = 0o750;
const PERMISSIONS = 0o7777;
/** Longest text of a link in bytes, as in the kernel. */
const LINK_BYTES = 4095;

/** A piece of a file. */
export interface FilePiece {
  /** absolute path below /run */
  path: string;
  /** bytes of the whole file */
  size: number;
  /** kind and permission bits; without a kind it is a regular file */
  mode: number;
  /** permission bits of folders that have to be made; 0 for the default */
  folderMode: number;
  uid: number;
  gid: number;
  /** where the data belong */
  offset: number;
  /** bytes of the file; of a link, its text */
  data: Uint8Array;
}

/** Takes a piece. @throws Error naming the path, and what is wrong with it */
export function takePiece(piece: FilePiece): void {
  const names = namesBelowRun(piece.path);
  const name = names.pop() as string;
  const kind = piece.mode & S_IFMT || S_IFREG;
  const folderMode = piece.folderMode & PERMISSIONS || FOLDER_MODE;
  withFolder(names, folderMode, (folder) => {
    if (kind === S_IFREG) writePiece(folder, name, piece);
    else if (kind === S_IFDIR) makeFolder(folder, name, piece);
    else if (kind === S_IFLNK) makeLink(folder, name, piece);
    else throw new Error(`${piece.path}: a file of the kind 0${kind.toString(8)} cannot be copied`);
  });
}

/** What an unfinished file is called, beside the finished one. @throws Error for a name that leaves no room for it */
function partOf(name: string): string {
  const part = `.${name}.husk-part`;
  if (sys.encodeUtf8(part).length > NAME_BYTES) throw new Error(`the name "${name}" is too long`);
  return part;
}

function writePiece(folder: GuestFolder, name: string, piece: FilePiece): void {
  const { path, size, offset, data } = piece;
  if (size < 0 || offset < 0 || offset + data.length > size)
    throw new Error(`${path}: bytes ${offset} to ${offset + data.length} are not of a file of ${size}`);
  const fd = openPart(folder, partOf(name), offset === 0);
  try {
    const { mode, size: written } = sys.fstat(fd);
    if ((mode & S_IFMT) !== S_IFREG) throw new Error(`${path}: what was begun is no file any more`);
    if (offset > written) throw new Error(`${path}: byte ${offset} came before byte ${written}`);
    writeAt(fd, offset, data);
    if (Math.max(written, offset + data.length) < size) return;
    finish(folder, name, fd, piece);
  } finally {
    sys.close(fd);
  }
}

/** A copy that begins anew begins with nothing, whatever an earlier one has left. */
function openPart(folder: GuestFolder, part: string, isFirst: boolean): number {
  if (!isFirst) return openIn(folder.fd, part, O_WRONLY | O_NONBLOCK);
  removeIfThere(folder.pathOf(part));
  return openIn(folder.fd, part, O_WRONLY | O_CREAT | O_EXCL, PART_MODE);
}

/** @throws SystemError when there is no room for it; then all of the file is given up */
function writeAt(fd: number, offset: number, data: Uint8Array): void {
  try {
    for (let at = 0; at < data.length; ) at += sys.pwrite(fd, data, at, data.length - at, offset + at);
  } catch (error) {
    sys.ftruncate(fd, 0);
    throw error;
  }
}

function giveTo(fd: number, { mode, uid, gid }: FilePiece): void {
  // The owner first: it takes the set-user-id bit away.
  sys.chown(pathOfOpen(fd), uid, gid);
  sys.chmod(pathOfOpen(fd), mode & PERMISSIONS);
}

function finish(folder: GuestFolder, name: string, fd: number, piece: FilePiece): void {
  sys.ftruncate(fd, piece.size);
  giveTo(fd, piece);
  sys.rename(folder.pathOf(partOf(name)), folder.pathOf(name));
}

/** Makes a folder, or gives one that is there its mode and owner. */
function makeFolder(folder: GuestFolder, name: string, piece: FilePiece): void {
  makeFolderIn(folder.fd, name);
  const fd = openIn(folder.fd, name, O_PATH);
  try {
    if ((sys.fstat(fd).mode & S_IFMT) !== S_IFDIR) throw new Error(`${piece.path} is there, and no folder`);
    giveTo(fd, piece);
  } finally {
    sys.close(fd);
  }
}

/** Makes a link, which replaces a file or link that is there. Where it leads is the reader's business. */
function makeLink(folder: GuestFolder, name: string, { path, uid, gid, data }: FilePiece): void {
  if (data.length === 0 || data.length > LINK_BYTES)
    throw new Error(`${path}: a link's text has 1 to ${LINK_BYTES} bytes, not ${data.length}`);
  const part = folder.pathOf(partOf(name));
  removeIfThere(part);
  sys.symlink(sys.decodeUtf8(data, true), part);
  sys.lchown(part, uid, gid);
  sys.rename(part, folder.pathOf(name));
}

function removeIfThere(path: string): void {
  try {
    sys.unlink(path);
  } catch (error) {
    if (!hasErrno(error, Errno.ENOENT)) throw error;
  }
}
