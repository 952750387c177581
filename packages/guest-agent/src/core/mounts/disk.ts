/** A disk with a file system on it. */

import * as sys from "tiny:sys";
import { Errno, hasErrno, MS_NODEV, MS_RDONLY } from "@husk/tiny";
import { loadModule } from "../../boot/modules.ts";
import { findBlockDevice, isReadOnlyDisk } from "../block-device.ts";

const READ_ONLY_TYPES = ["erofs", "squashfs", "iso9660"];

/** See the head of the file. */
export interface Disk {
  /** its node in the guest */
  device: string;
  fstype: string;
  /** true when the host gave it to be read only, or nobody can write to such a file system */
  fixed: boolean;
}

/** Finds a disk by its address, if there is one, or its name, and loads what its file system needs. */
export async function findDisk(name: string, addr: string | undefined, fstype: string): Promise<Disk> {
  const device = await findBlockDevice(name, addr);
  loadModule(fstype);
  return { device, fstype, fixed: READ_ONLY_TYPES.includes(fstype) || isReadOnlyDisk(device) };
}

/** Mounts it; `device` is its node as the caller sees it. */
export function mountDisk(disk: Disk, device: string, target: string, readOnly: boolean): void {
  // Copies of one image have one UUID, which xfs takes for a mistake.
  const data = disk.fstype === "xfs" ? "nouuid" : null;
  const flags = MS_NODEV | (readOnly || disk.fixed ? MS_RDONLY : 0);
  try {
    sys.mount(device, target, disk.fstype, flags, data);
  } catch (error) {
    if (hasErrno(error, Errno.ENODEV))
      throw new Error(`the guest's kernel has no file system "${disk.fstype}"`);
    throw error;
  }
}
