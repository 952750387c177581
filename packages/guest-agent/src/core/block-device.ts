/** Finding disks: by the address that the host plugged them in at, by serial number, by the kernel's name. */

import * as sys from "tiny:sys";
import {
  Errno,
  exists,
  hasErrno,
  O_RDONLY,
  readText,
  readTextIfThere,
  withFile,
  writeControl,
} from "@husk/tiny";
import { loadModule } from "../boot/modules.ts";
import { waitForDevice } from "../boot/uevents.ts";
import { parseDiskAddress } from "./disk-address.ts";
import { findDiskAt, scanScsi } from "./find-disk.ts";

/** Milliseconds that a disk has to appear: it may be hot-plugged just before the command. */
const DEADLINE_MS = 10_000;

/** KiB that the kernel reads around a page that is missing, as text. */
const READ_AHEAD_KIB = "1024";

const CLASS = "/sys/class/block";

/** Bytes before the serial number in a SCSI disk's page 0x80 of vital product data. */
const VPD_HEADER = 4;

function serialOf(disk: string): string | undefined {
  const virtio = readTextIfThere(`${CLASS}/${disk}/serial`);
  return (virtio ?? readTextIfThere(`${CLASS}/${disk}/device/vpd_pg80`)?.slice(VPD_HEADER))?.trim();
}

function readAheadOf(disk: string): string {
  return `${CLASS}/${disk}/queue/read_ahead_kb`;
}

/** The kernel shows a disk before it can be used: until then there is no such device for who opens it. */
function isReady(disk: string): boolean {
  try {
    withFile(`/dev/${disk}`, O_RDONLY, 0, () => {});
    return true;
  } catch (error) {
    if (hasErrno(error, Errno.ENXIO, Errno.ENOENT)) return false;
    throw error;
  }
}

function findDisk(name: string): string | undefined {
  if (exists(`${CLASS}/${name}`)) return name;
  return sys.readdir(CLASS).find((disk) => serialOf(disk) === name);
}

/** What was asked for, and the node that was found: when the disk is gone and another one comes, that has a new node. */
interface KnownDisk {
  readonly wanted: string;
  readonly node: number;
}

/**
 * Virtio disks that have been found without an address, by the kernel's names. What has been done once with such a disk need
 * not be done again: it is there from the VM's start. Those with an address come and go, and one behind a SCSI controller is
 * gone before the kernel knows.
 */
const known = new Map<string, KnownDisk>();

function nodeOf(disk: string): number | undefined {
  return sys.statIfThere(`/dev/${disk}`)?.ino;
}

function findKnown(wanted: string): string | undefined {
  for (const [disk, found] of known) {
    if (found.wanted === wanted && found.node === nodeOf(disk)) return disk;
  }
  return undefined;
}

/** True when the host gave the disk to be read only. */
export function isReadOnlyDisk(device: string): boolean {
  return readText(`${CLASS}/${device.slice("/dev/".length)}/ro`).trim() === "1";
}

/**
 * The node of a disk, waited for.
 *
 * @param name a kernel name (`vda`), as hyperstart has it, or the serial number that the host gave the disk, which does
 *   not change with the order in which disks are found
 * @param address where the host plugged the disk in, which then overrides the name: `id:lun` on a SCSI controller, or the
 *   PCI device numbers on the way from the root bus, in hex (`0f/00`). Reference: hyperstart.md 2.3; Kata's PCI path
 */
export async function findBlockDevice(name: string, address?: string): Promise<string> {
  if (name.includes("/")) throw new Error(`"${name}" is not the name of a disk`);
  const before = address ? undefined : findKnown(name);
  if (before !== undefined) return `/dev/${before}`;
  loadModule("virtio_blk");
  const at = address ? parseDiskAddress(address) : undefined;
  if (at?.kind === "scsi") scanScsi(at);
  // Only the kernel's own name tells that a disk, although it has no address, is behind a SCSI controller.
  else if (!at && /^sd[a-z]+$/.test(name) && !exists(`${CLASS}/${name}`)) scanScsi();
  const what = address ? `disk at ${address}` : `disk ${name}`;
  const disk = await waitForDevice(what, DEADLINE_MS, () => {
    const found = at ? findDiskAt(at) : findDisk(name);
    return found !== undefined && isReady(found) ? found : undefined;
  });
  // A round trip to the host's disk costs more than the pages that come with it, and programs are read by page faults.
  if (exists(readAheadOf(disk))) writeControl(readAheadOf(disk), READ_AHEAD_KIB);
  const node = nodeOf(disk);
  if (!address && node !== undefined && disk.startsWith("vd")) known.set(disk, { wanted: name, node });
  return `/dev/${disk}`;
}
