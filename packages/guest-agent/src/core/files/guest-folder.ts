/**
 * Folders of the guest that are worked in by descriptor: what a container does to the path meanwhile leads nowhere else.
 */

import * as sys from "tiny:sys";
import {
  Errno,
  hasErrno,
  O_CLOEXEC,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  S_IFDIR,
  S_IFMT,
} from "@husk/tiny";

/** The only folder of the guest that the host may write in. */
const RUN = "/run";

/** Longest name in a folder, in bytes. */
export const NAME_BYTES = 255;
/** Most names in a path. */
const MAX_NAMES = 64;

/** An open folder. */
export interface GuestFolder {
  fd: number;
  /** what a name in it is called by calls that take only paths */
  pathOf(name: string): string;
}

/**
 * The names in an absolute path below /run.
 *
 * @throws Error for a path that is not below /run, or has `..` in it
 */
export function namesBelowRun(path: string): string[] {
  const [root, ...names] = path.split("/").filter((name, at) => at > 0 && name !== "" && name !== ".");
  const isBelow = path.startsWith("/") && `/${root}` === RUN && names.length > 0;
  if (!isBelow || names.includes("..")) throw new Error(`"${path.slice(0, 200)}" is not a path below ${RUN}`);
  if (names.length > MAX_NAMES) throw new Error(`a path has ${names.length} names, more than ${MAX_NAMES}`);
  const long = names.find((name) => sys.encodeUtf8(name).length > NAME_BYTES);
  if (long !== undefined) throw new Error(`"${long.slice(0, 80)}…" is longer than ${NAME_BYTES} bytes`);
  return names;
}

/** Opens what has this name in a folder, through no link. */
export function openIn(folder: number, name: string, flags: number, mode = 0): number {
  return sys.openat2(name, flags | O_CLOEXEC, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, folder);
}

/** What an open file is called by calls that take only paths. */
export function pathOfOpen(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Makes a folder in another; false when there is something of this name. */
export function makeFolderIn(folder: number, name: string): boolean {
  try {
    sys.mkdir(`${pathOfOpen(folder)}/${name}`, 0o700);
    return true;
  } catch (error) {
    if (hasErrno(error, Errno.EEXIST)) return false;
    throw error;
  }
}

/** The folder in a folder, made if it is not there. The outer one is closed. */
function stepInto(folder: number, name: string, mode: number): number {
  try {
    const isMade = makeFolderIn(folder, name);
    const inner = openIn(folder, name, O_PATH);
    if (isMade) sys.chmod(pathOfOpen(inner), mode);
    return inner;
  } finally {
    sys.close(folder);
  }
}

function openFolder(names: readonly string[], mode: number): number {
  let folder = sys.open(RUN, O_PATH | O_CLOEXEC, 0);
  for (const name of names) folder = stepInto(folder, name, mode);
  return folder;
}

/** What went wrong on the way to a folder, in words that say what the host did. */
function explain(error: unknown, path: string): unknown {
  if (hasErrno(error, Errno.ELOOP)) return new Error(`${path} leads through a link`);
  if (hasErrno(error, Errno.ENOTDIR)) return new Error(`${path} leads through what is no folder`);
  return error;
}

/**
 * Calls `use` with the folder of these names below /run, which is made with those above it where it is not there. No
 * link is followed on the way to it.
 *
 * @param mode of the folders that have to be made
 * @throws Error naming the path, when something else is in its way
 */
export function withFolder<T>(names: readonly string[], mode: number, use: (folder: GuestFolder) => T): T {
  const path = [RUN, ...names].join("/");
  let fd: number;
  try {
    fd = openFolder(names, mode);
  } catch (error) {
    throw explain(error, path);
  }
  try {
    if ((sys.fstat(fd).mode & S_IFMT) !== S_IFDIR) throw new Error(`${path} is no folder`);
    return use({ fd, pathOf: (name) => `${pathOfOpen(fd)}/${name}` });
  } finally {
    sys.close(fd);
  }
}
