import type { QmpDevice, QmpRawBlockdev } from "@husk/wire/qmp";
import { HuskError } from "../../errors/index.ts";
import type { BlockDeviceDriver } from "../../types/index.ts";
import type { Drive } from "../types.ts";
import type { QemuPlan } from "./command-line.ts";
import { checkDiskImage, type DiskSource } from "./disk-image.ts";
import { placeOf, SCSI_CONTROLLER } from "./slots.ts";
import { transportOf, tuningOf } from "./transport.ts";

/** A drive whose image has been looked at. */
export interface Disk extends Drive {
  readonly source: DiskSource;
}

/** Looks at a drive's image; throws as `checkDiskImage`. */
export function asDisk(drive: Drive): Disk {
  return { ...drive, source: checkDiskImage(drive.imagePath) };
}

/** Name of the block node behind a drive. */
export function nodeName(driveId: string): string {
  return `node-${driveId}`;
}

/** Name of the device that a drive is in the VM. */
export function diskName(driveId: string): string {
  return `disk-${driveId}`;
}

/**
 * The block node of a drive. The format is always raw: what an image says of itself is never believed, since a guest
 * could write into its disk that it is an overlay of any file of the host.
 */
export function blockdevOf({ id, imagePath, source, readOnly = true }: Disk): QmpRawBlockdev {
  const driver = source === "device" ? "host_device" : "file";
  return {
    driver: "raw",
    "node-name": nodeName(id),
    "read-only": readOnly,
    file: { driver, filename: imagePath },
  };
}

/** What a disk's device depends on. */
export type DiskPlan = Pick<QemuPlan, "machine" | "blockDriver">;

/** The disk of a drive; the guest finds it by its address when it has one, and by its serial number. */
export function diskDeviceOf(drive: Drive, plan: DiskPlan): QmpDevice {
  if (!/^[a-z0-9]{1,20}$/.test(drive.id)) {
    const text = `a drive's id must have 1 to 20 letters and digits, as its serial number: ${drive.id}`;
    throw new HuskError("ERR_CONFIG_INVALID", text);
  }
  const common = { id: diskName(drive.id), drive: nodeName(drive.id), serial: drive.id };
  const place = drive.addr === undefined ? {} : placeOf(drive.addr);
  if (plan.blockDriver === "virtio-scsi") return { driver: "scsi-hd", ...common, ...place };
  const { block, common: options } = transportOf(plan.machine);
  return { driver: block, ...common, ...options, ...place };
}

/** The SCSI controller, only where disks are on it: to look for its disks costs the guest time. */
function controllerArguments(plan: QemuPlan): string[] {
  if (plan.blockDriver !== "virtio-scsi") return [];
  const { scsi, common } = transportOf(plan.machine);
  return ["-device", JSON.stringify({ driver: scsi, id: SCSI_CONTROLLER, ...common, ...tuningOf(plan) })];
}

function diskOptions(disk: Disk, plan: QemuPlan, blockDriver: BlockDeviceDriver): string[] {
  const tuning = blockDriver === "virtio-blk" ? tuningOf(plan) : {};
  const device = { ...diskDeviceOf(disk, { ...plan, blockDriver }), ...tuning };
  return ["-blockdev", JSON.stringify(blockdevOf(disk)), "-device", JSON.stringify(device)];
}

/**
 * The disks that are there at the start. A kernel that finds the guest's own root by itself must find it first: on a PCI
 * bus that is the first here, on a microvm the last.
 */
export function diskArguments(plan: QemuPlan): string[] {
  const root = plan.rootDisk ? diskOptions(plan.rootDisk, plan, "virtio-blk") : [];
  const others = plan.drives.flatMap((disk) => diskOptions(disk, plan, plan.blockDriver));
  const isFirst = plan.machine !== "microvm";
  return [...(isFirst ? root : []), ...controllerArguments(plan), ...others, ...(isFirst ? [] : root)];
}
