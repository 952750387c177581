/** Storages that need nothing from the host: memory, and folders of the guest. Reference: virtcontainers.md 8.2. */

import * as sys from "tiny:sys";
import type { Storage } from "@husk/wire/kata";
import { makeFolderIn, openIn, pathOfOpen, withFolder } from "../files/guest-folder.ts";
import { removeTree } from "../files/remove-tree.ts";
import type { UndoStack } from "../undo-stack.ts";
import { checkMountPoint, withSource } from "./mount-point.ts";
import { mountStorage } from "./mount-storage.ts";
import { badStorage } from "./storage-driver.ts";

/** Mode of a folder that is given to a group: new files in it are the group's, too. */
const GROUP_MODE = 0o2775;
const LOCAL_MODE = 0o777;

/** Options that are the agent's, by name; the others are for the file system. */
interface OwnOptions {
  gid?: number;
  mode?: number;
  others: string[];
}

function readNumber(option: string, digits: string, radix: number): number {
  const value = Number.parseInt(digits, radix);
  if (!/^[0-9]{1,10}$/.test(digits) || !(value >= 0 && value < 0xffff_ffff))
    throw badStorage(`option "${option}" has no number`);
  return value;
}

/** `fsgid=` is the group that the folder is given to; with `mode` also `mode=` is read here. */
function takeOwnOptions(options: readonly string[], names: { gid: string[]; mode?: string }): OwnOptions {
  const taken: OwnOptions = { others: [] };
  for (const option of options) {
    const [name = "", value = ""] = option.split("=", 2);
    if (names.gid.includes(name)) taken.gid = readNumber(option, value, 10);
    else if (name === names.mode) taken.mode = readNumber(option, value, 8);
    else taken.others.push(option);
  }
  return taken;
}

/** A file system in memory, for all of the pod. */
export function mountEphemeral(storage: Storage, undo: UndoStack): void {
  const { fstype, source, mountPoint } = storage;
  if (fstype !== "tmpfs") throw badStorage(`an ephemeral storage is a tmpfs, not "${fstype}"`);
  const { gid, others } = takeOwnOptions(storage.options, { gid: ["fsgid"] });
  mountStorage(storage, source || fstype, undo, others);
  if (gid === undefined) return;
  withSource(mountPoint, (folder) => {
    sys.chown(folder, -1, gid);
    sys.chmod(folder, GROUP_MODE);
  });
}

/** A folder on the guest's own file system, for all of the pod. */
export function makeLocalFolder({ mountPoint, options }: Storage, undo: UndoStack): void {
  const own = takeOwnOptions(options, { gid: ["fsgid", "gid"], mode: "mode" });
  const [odd] = own.others;
  if (odd !== undefined) throw badStorage(`option "${odd}" means nothing for a local storage`);
  const names = checkMountPoint(mountPoint);
  const name = names.at(-1) as string;
  withFolder(names.slice(0, -1), 0o755, (parent) => {
    if (!makeFolderIn(parent.fd, name)) throw badStorage(`there is something at "${mountPoint}"`);
    undo.push(() => removeTree(mountPoint));
    const fd = openIn(parent.fd, name, 0);
    try {
      if (own.gid !== undefined) sys.chown(pathOfOpen(fd), -1, own.gid);
      sys.chmod(pathOfOpen(fd), own.mode ?? (own.gid === undefined ? LOCAL_MODE : GROUP_MODE));
    } finally {
      sys.close(fd);
    }
  });
}
