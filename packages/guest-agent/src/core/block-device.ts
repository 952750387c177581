/** Finding the disk that holds a container's root. */

import * as sys from "tiny:sys";
import { exists, readText, readTextIfThere, writeControl } from "@husk/tiny";
import { loadModule } from "../boot/modules.ts";
import { waitForDevice } from "../boot/uevents.ts";

/** Milliseconds that a disk has to appear: it may be hot-plugged just before the command. */
const DEADLINE_MS = 10_000;

/** KiB that the kernel reads around a page that is missing, as text. */
const READ_AHEAD_KIB = "1024";

const CLASS = "/sys/class/block";

function findDisk(name: string): string | undefined {
  if (exists(`${CLASS}/${name}`)) return name;
  return sys.readdir(CLASS).find((disk) => readTextIfThere(`${CLASS}/${disk}/serial`)?.trim() === name);
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
 */
export async function findBlockDevice(name: string): Promise<string> {
  if (name.includes("/")) throw new Error(`"${name}" is not the name of a disk`);
  loadModule("virtio_blk");
  const disk = await waitForDevice(`disk ${name}`, DEADLINE_MS, () => findDisk(name));
  // A round trip to the host's disk costs more than the pages that come with it, and programs are read by page faults.
  writeControl(`${CLASS}/${disk}/queue/read_ahead_kb`, READ_AHEAD_KIB);
  return `/dev/${disk}`;
}
