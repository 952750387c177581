/** The drivers of storages, by the names that the host calls them. Reference: virtcontainers.md 8.2. */

import type { Storage } from "@husk/wire/kata";
import type { UndoStack } from "../undo-stack.ts";
import { mountMmioDisk, mountPciDisk, mountPmemDisk, mountScsiDisk } from "./disk-drivers.ts";
import { makeLocalFolder, mountEphemeral } from "./memory-drivers.ts";
import { mountStorage } from "./mount-storage.ts";
import { mountOverlay } from "./overlay-driver.ts";
import { mount9p, mountVirtioFs } from "./share-drivers.ts";
import { badStorage, type StorageDriver } from "./storage-driver.ts";

/** A file or folder of the guest once more. */
function bindStorage(storage: Storage, undo: UndoStack): void {
  const bind =
    ["bind", "rbind"].includes(storage.fstype) || storage.options.some((one) => /^r?bind$/.test(one));
  if (!bind) throw badStorage(`a bind storage has the type bind, not "${storage.fstype}"`);
  mountStorage(storage, storage.source, undo);
}

export const storageDrivers: ReadonlyMap<string, StorageDriver> = new Map<string, StorageDriver>([
  ["9p", mount9p],
  ["bind", bindStorage],
  ["blk", mountPciDisk],
  ["ephemeral", mountEphemeral],
  ["local", makeLocalFolder],
  ["mmioblk", mountMmioDisk],
  ["nvdimm", mountPmemDisk],
  ["overlayfs", mountOverlay],
  ["scsi", mountScsiDisk],
  ["virtio-fs", mountVirtioFs],
]);
