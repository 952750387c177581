/** What is at a disk's address, as sysfs shows it. */

import * as sys from "tiny:sys";
import { writeControl } from "@husk/tiny";
import { loadModule } from "../boot/modules.ts";
import type { DiskAddress } from "./disk-address.ts";

const SCSI_HOSTS = "/sys/class/scsi_host";
const SCSI_DISKS = "/sys/class/scsi_disk";
const PCI_ROOT = "/sys/devices/pci0000:00";
const PCI_DEVICE = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/**
 * Makes the kernel look for disks on its SCSI controllers: at one address, or everywhere. The drivers are loaded so that
 * they do not look by themselves: to ask for each of the 256 targets would take longer than all the rest.
 */
export function scanScsi(at?: { id: number; lun: number }): void {
  loadModule("scsi_mod", "scan=manual");
  loadModule("sd_mod");
  loadModule("virtio_scsi", "");
  for (const host of namesIn(SCSI_HOSTS)) {
    writeControl(`${SCSI_HOSTS}/${host}/scan`, at ? `0 ${at.id} ${at.lun}` : "- - -");
  }
}

/** The kernel's name for the disk at an address, once it is there. */
export function findDiskAt(address: DiskAddress): string | undefined {
  if (address.kind === "pci") return findPciDisk(address.path);
  // A virtio controller has one channel, 0.
  const wanted = `:0:${address.id}:${address.lun}`;
  const disk = namesIn(SCSI_DISKS).find((name) => name.endsWith(wanted));
  return disk === undefined ? undefined : namesIn(`${SCSI_DISKS}/${disk}/device/block`)[0];
}

/** Follows the numbers from bus to bus; each folder is named after the bus that the device is on. */
export function findPciFolder(path: readonly string[]): string | undefined {
  let folder = PCI_ROOT;
  for (const step of path) {
    const wanted = step.includes(".") ? step : `${step}.0`;
    const device = namesIn(folder).find((name) => PCI_DEVICE.test(name) && name.endsWith(`:${wanted}`));
    if (device === undefined) return undefined;
    folder = `${folder}/${device}`;
  }
  return folder;
}

function findPciDisk(path: readonly string[]): string | undefined {
  const folder = findPciFolder(path);
  if (folder === undefined) return undefined;
  const virtio = namesIn(folder).find((name) => /^virtio\d+$/.test(name));
  return virtio === undefined ? undefined : namesIn(`${folder}/${virtio}/block`)[0];
}

/** The names in a folder of sysfs; none when it is not there, or not yet. */
export function namesIn(folder: string): string[] {
  try {
    return sys.readdir(folder);
  } catch {
    return [];
  }
}
