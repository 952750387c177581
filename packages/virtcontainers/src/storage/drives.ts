import { HuskError } from "../errors/index.ts";
import type { DriveRecord } from "../store/pod-record.ts";

/** A disk image or block device of the host, to be a disk of a VM. */
export interface DiskSource {
  /** path on the host */
  readonly path: string;
  /** type of its file system; missing: it is a container's own matter */
  readonly fstype?: string;
  readonly readOnly: boolean;
}

/** Prefix of the ids, which are the serial numbers of the disks in the guest. */
const PREFIX = "drive";

/** The disk for a source, if the pod has one: the same source serves several containers. */
export function findDrive(drives: readonly DriveRecord[], source: DiskSource): DriveRecord | undefined {
  return drives.find(
    ({ imagePath, readOnly = true }) => imagePath === source.path && readOnly === source.readOnly,
  );
}

/**
 * The record of a new disk. Its id is the least that no disk has: those of disks that are gone are used again.
 * @throws HuskError ERR_NOT_SUPPORTED when the pod has it already, but may not write to it, or the other way round
 */
export function newDrive(
  drives: readonly DriveRecord[],
  { path, fstype, readOnly }: DiskSource,
): DriveRecord {
  if (drives.some(({ imagePath }) => imagePath === path)) {
    const text = `${path} cannot be both a writable and a read-only disk of one pod`;
    throw new HuskError("ERR_NOT_SUPPORTED", text);
  }
  for (let index = 0; ; index++) {
    const id = `${PREFIX}${index}`;
    if (drives.some((drive) => drive.id === id)) continue;
    return { id, imagePath: path, readOnly, ...(fstype === undefined ? {} : { fstype }) };
  }
}

/** The disks for some sources, without duplicates, for a VM that is about to start. */
export function drivesFor(sources: readonly DiskSource[]): DriveRecord[] {
  const drives: DriveRecord[] = [];
  for (const source of sources) {
    if (!findDrive(drives, source)) drives.push(newDrive(drives, source));
  }
  return drives;
}
