/** Mounting a storage's source, whatever it is, with the storage's own options. */

import * as sys from "tiny:sys";
import { AT_RECURSIVE, Errno, errorText, hasErrno, MS_BIND, MS_REC } from "@husk/tiny";
import type { Storage } from "@husk/wire/kata";
import { loadModule } from "../../boot/modules.ts";
import { type MountOptions, parseMountOptions } from "../mounts/mount-options.ts";
import type { UndoStack } from "../undo-stack.ts";
import { mountAt, withSource } from "./mount-point.ts";
import { badStorage } from "./storage-driver.ts";

/** A type of file system as the kernel names it; anything else would be a mistake, or a path. */
const FSTYPE = /^[a-z0-9_.-]{1,32}$/;

function readOptions(fstype: string, options: readonly string[]): MountOptions {
  try {
    return parseMountOptions(fstype, options);
  } catch (error) {
    throw badStorage(errorText(error));
  }
}

/** What the kernel means by its short answers to mount(2). */
function explain(error: unknown, fstype: string, data: string): unknown {
  if (hasErrno(error, Errno.ENODEV)) return new Error(`the guest's kernel has no file system "${fstype}"`);
  if (hasErrno(error, Errno.EINVAL))
    return new Error(`${fstype} refuses the source, or the options "${data}"`, { cause: error });
  return error;
}

/** Binds a file or folder of the guest: all that is mounted in it, too, if the options say so. */
function bind(source: string, options: MountOptions, { mountPoint }: Storage, undo: UndoStack): void {
  withSource(source, (from, isFolder) => {
    mountAt(mountPoint, isFolder ? "folder" : "file", undo, (target) => {
      sys.mount(from, target, null, MS_BIND | (options.bind === "tree" ? MS_REC : 0), null);
    });
    setAttributes(options, mountPoint);
  });
}

/** The path now leads to what was mounted just before; a link cannot be in its place. */
function setAttributes({ set, clear, recursive, propagation }: MountOptions, mountPoint: string): void {
  withSource(mountPoint, (target) => {
    if (set | clear) sys.mountSetattr(target, recursive ? AT_RECURSIVE : 0, set, clear);
    for (const flags of propagation) sys.mount(null, target, null, flags, null);
  });
}

/**
 * Mounts `source` where the storage says, or binds it there when its type or its options say so.
 *
 * @param options instead of the storage's own
 */
export function mountStorage(
  storage: Storage,
  source: string,
  undo: UndoStack,
  options: readonly string[] = storage.options,
): void {
  const { fstype, mountPoint } = storage;
  const parsed = readOptions(fstype, options);
  if (parsed.bind !== "no") {
    bind(source, parsed, storage, undo);
    return;
  }
  if (!FSTYPE.test(fstype)) throw badStorage(`"${fstype}" is no type of file system`);
  loadModule(fstype);
  mountAt(mountPoint, "folder", undo, (target) => {
    try {
      sys.mount(source, target, fstype, parsed.flags, parsed.data || null);
    } catch (error) {
      throw explain(error, fstype, parsed.data);
    }
  });
  setAttributes({ ...parsed, set: 0, clear: 0 }, mountPoint);
}
