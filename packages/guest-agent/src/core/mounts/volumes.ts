/** Disks as volumes. Reference: hyperstart.md 4.5. */

import * as sys from "tiny:sys";
import { exists, isDirectory, MNT_DETACH, S_IFMT, S_IFREG } from "@husk/tiny";
import type { Volume } from "@husk/wire/hyperstart";
import { containerPaths } from "../paths.ts";
import { copyTree } from "./copy-tree.ts";
import { type Disk, findDisk, mountDisk } from "./disk.ts";
import { bindTree, makeMountPoint } from "./mount-point.ts";
import type { MountStep } from "./mount-step.ts";

/** The folder of a volume that has its contents; what is beside it belongs to the host. */
const DATA = "_data";
/** A volume whose only file has this name is that file. */
const FILE_VOLUME = ".hyper_file_volume_data_do_not_create_on_your_own";

/** Makes a volume's folder for contents, for everybody. */
export function makeDataFolder(volume: string): string {
  const data = `${volume}/${DATA}`;
  if (!isDirectory(data)) {
    sys.mkdir(data, 0o777);
    sys.chmod(data, 0o777);
  }
  return data;
}

/** True when nobody has written to a volume: its file system has at most its own folder in it. */
function isNew(data: string): boolean {
  const names = sys.readdir(data);
  if (names.length === 0) return true;
  const own = `${data}/lost+found`;
  return names.length === 1 && isDirectory(own) && sys.readdir(own).length === 0;
}

function findOnlyFile(data: string): string | undefined {
  const file = `${data}/${FILE_VOLUME}`;
  const isOnly = sys.readdir(data).length === 1 && exists(file);
  return isOnly && (sys.lstat(file).mode & S_IFMT) === S_IFREG ? file : undefined;
}

function openData(folder: string, disk: Disk): string {
  const data = `${folder}/${DATA}`;
  if (disk.fixed && !isDirectory(data)) throw new Error(`the read-only disk has no folder ${DATA}`);
  return disk.fixed ? data : makeDataFolder(folder);
}

function bindVolume(volume: Volume, disk: Disk, folder: string, initialize: boolean): void {
  const data = openData(folder, disk);
  const file = findOnlyFile(data);
  if (file !== undefined) {
    if (!disk.fixed) sys.chmod(file, 0o777);
    bindTree(file, makeMountPoint(volume.mount, "file"), volume.readOnly);
    return;
  }
  const target = makeMountPoint(volume.mount, "folder");
  if (volume.dockerVolume && initialize && !disk.fixed && isNew(data)) copyTree(target, data);
  bindTree(data, target, volume.readOnly);
}

/**
 * Plans a volume of a container.
 *
 * @param initialize whether this is the container's first start, when a new volume gets what the image has in its place
 */
export async function planVolume(
  volume: Volume,
  containerId: string,
  initialize: boolean,
): Promise<MountStep> {
  if (volume.fstype === "nfs" || volume.fstype === "nfs4")
    throw new Error(
      `volume "${volume.mount}": the guest has no NFS client; mount it on the host and share the folder`,
    );
  const disk = await findDisk(volume.device, volume.addr, volume.fstype);
  return {
    destination: volume.mount,
    mount: (guest) => {
      // Mounted here only until its contents are bound to where they belong.
      const folder = guest(containerPaths(containerId).volume);
      mountDisk(disk, guest(disk.device), folder, false);
      bindVolume(volume, disk, folder, initialize);
      sys.umount(folder, MNT_DETACH);
    },
  };
}
