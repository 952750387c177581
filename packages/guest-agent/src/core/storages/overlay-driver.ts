/** Storages that are laid over one another. Reference: virtcontainers.md 8.2. */

import * as sys from "tiny:sys";
import type { Storage } from "@husk/wire/kata";
import { makeFolderIn, pathOfOpen, withFolder } from "../files/guest-folder.ts";
import type { UndoStack } from "../undo-stack.ts";
import { checkMountPoint, withSource } from "./mount-point.ts";
import { mountStorage } from "./mount-storage.ts";
import { badStorage } from "./storage-driver.ts";

const FOLDER_MODE = 0o755;

/** Most layers of one overlay, below the kernel's own bound. */
const MAX_LAYERS = 128;

function lastValue(options: readonly string[], name: string): string | undefined {
  return options.findLast((option) => option.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** A layer is a folder below /run, or one of a share there, that no link leads to. */
function checkLayer(path: string): void {
  checkMountPoint(path);
  withSource(path, (_, isFolder) => {
    if (!isFolder) throw badStorage(`layer "${path}" is no folder`);
  });
}

/** Makes the folder that an overlay writes to, or needs for its work, unless it is there. The overlay's root has its mode. */
function makeLayer(path: string): void {
  const names = checkMountPoint(path);
  const name = names.at(-1) as string;
  withFolder(names.slice(0, -1), FOLDER_MODE, ({ fd }) => {
    if (makeFolderIn(fd, name)) sys.chmod(`${pathOfOpen(fd)}/${name}`, FOLDER_MODE);
  });
  checkLayer(path);
}

/** Mounts an overlay of folders of the guest; those that it writes to are made. */
export function mountOverlay(storage: Storage, undo: UndoStack): void {
  const { options, fstype } = storage;
  if (fstype !== "overlay") throw badStorage(`an overlayfs storage has the type overlay, not "${fstype}"`);
  const lower = lastValue(options, "lowerdir")?.split(":") ?? [];
  if (lower.length === 0 || lower.length > MAX_LAYERS)
    throw badStorage(`an overlay has 1 to ${MAX_LAYERS} folders in lowerdir, not ${lower.length}`);
  const [upper, work] = [lastValue(options, "upperdir"), lastValue(options, "workdir")];
  if ((upper === undefined) !== (work === undefined))
    throw badStorage("upperdir and workdir need one another");
  for (const layer of lower) checkLayer(layer);
  for (const layer of [upper, work]) if (layer !== undefined) makeLayer(layer);
  mountStorage(storage, storage.source || "overlay", undo);
}
