/** Mount points in a container's root, which is the root of the calling child by then. */

import * as sys from "tiny:sys";
import {
  AT_RECURSIVE,
  Errno,
  exists,
  hasErrno,
  isDirectory,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_REC,
  makeDirectories,
  O_CREAT,
  O_WRONLY,
  withFile,
} from "@husk/tiny";
import { resolvePath } from "./resolve-path.ts";

/** The text of a link; undefined for what is none, or is not there. */
export function readLink(path: string): string | undefined {
  return sys.readlinkIfLink(path);
}

/** A path of the container without links. */
export function resolveInContainer(path: string): string {
  return resolvePath("", path, readLink);
}

/** Makes a folder and those above it, if they are not there; gives its path without links. */
export function makeFolder(path: string): string {
  const target = resolveInContainer(path);
  if (target !== "/" && !isDirectory(target)) makeDirectories(target);
  return target;
}

/**
 * Makes what a mount covers, if it is not there; gives its path without links.
 *
 * @throws Error when it cannot be made, or is the root
 */
export function makeMountPoint(path: string, kind: "folder" | "file"): string {
  const target = resolveInContainer(path);
  if (target === "/") throw new Error("it would cover the root");
  if (exists(target)) return target;
  try {
    if (kind === "folder") makeFolder(target);
    else {
      makeFolder(target.slice(0, target.lastIndexOf("/")));
      withFile(target, O_WRONLY | O_CREAT, 0o644, () => {});
    }
  } catch (error) {
    if (hasErrno(error, Errno.EROFS)) throw new Error("it is not in the read-only root");
    throw error;
  }
  return target;
}

/** Binds a folder or file, with all that is mounted in it, over another; read-only as a whole, if it is to be. */
export function bindTree(source: string, target: string, readOnly: boolean): void {
  sys.mount(source, target, null, MS_BIND | MS_REC, null);
  if (readOnly) sys.mountSetattr(target, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0);
}
