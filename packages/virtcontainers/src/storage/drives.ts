import type { DriveRecord } from "../store/pod-record.ts";
import type { RootfsImage } from "./rootfs.ts";

/** Prefix of the ids, which are the serial numbers of the disks in the guest. */
const PREFIX = "rootfs";

/** The disk that holds an image, if the pod has one: the same image serves several containers. */
export function findDrive(drives: readonly DriveRecord[], image: RootfsImage): DriveRecord | undefined {
  return drives.find(({ imagePath }) => imagePath === image.path);
}

/** The least id that no disk has: ids of disks that are gone are used again. */
export function allocateDriveId(drives: readonly DriveRecord[]): string {
  for (let index = 0; ; index++) {
    const id = `${PREFIX}${index}`;
    if (!drives.some((drive) => drive.id === id)) return id;
  }
}

/** The disks for some images, without duplicates, for a VM that is about to start. */
export function drivesFor(images: readonly RootfsImage[]): DriveRecord[] {
  const drives: DriveRecord[] = [];
  for (const image of images) {
    if (findDrive(drives, image)) continue;
    drives.push({ id: allocateDriveId(drives), imagePath: image.path, fstype: image.fstype });
  }
  return drives;
}
