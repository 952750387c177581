/** Storages that are folders of the host. Reference: virtcontainers.md 3.3. */

import { Errno, hasErrno } from "@husk/tiny";
import type { Storage } from "@husk/wire/kata";
import { loadModule } from "../../boot/modules.ts";
import { waitForDevice } from "../../boot/uevents.ts";
import { UndoStack } from "../undo-stack.ts";
import { mountStorage } from "./mount-storage.ts";
import { badStorage } from "./storage-driver.ts";

/** Milliseconds that a share's device has to appear: its driver looks for it in the background. */
const DEADLINE_MS = 10_000;

/** virtiofs says the one, 9p the other, of a tag that no device has. */
function isUnknownTag(error: unknown): boolean {
  return hasErrno(error, Errno.ENOENT) || (error instanceof Error && hasErrno(error.cause, Errno.EINVAL));
}

/** Mounts as soon as there is a device with the tag. */
async function mountShare(storage: Storage, fstype: string, undo: UndoStack): Promise<void> {
  if (storage.source === "") throw badStorage("a share needs a tag");
  if (storage.fstype !== fstype)
    throw badStorage(`a share of this driver has the type ${fstype}, not "${storage.fstype}"`);
  const attempt = (): UndoStack | undefined => {
    const own = new UndoStack();
    try {
      mountStorage(storage, storage.source, own);
      return own;
    } catch (error) {
      void own.run();
      if (isUnknownTag(error)) return undefined;
      throw error;
    }
  };
  const made = await waitForDevice(
    `share "${storage.source}" (${fstype}, options "${storage.options.join(",")}")`,
    DEADLINE_MS,
    attempt,
  );
  undo.push(() => made.run());
}

export function mountVirtioFs(storage: Storage, undo: UndoStack): Promise<void> {
  return mountShare(storage, "virtiofs", undo);
}

export function mount9p(storage: Storage, undo: UndoStack): Promise<void> {
  loadModule("9pnet_virtio");
  return mountShare(storage, "9p", undo);
}
