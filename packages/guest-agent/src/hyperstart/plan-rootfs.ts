/** The root of a container as hyperstart's messages name it: a disk or a folder of a share, and a folder in that. */

import * as sys from "tiny:sys";
import { isDirectory, S_IFDIR, S_IFMT } from "@husk/tiny";
import type { Container } from "@husk/wire/hyperstart";
import { type Disk, findDisk, mountDisk } from "../core/mounts/disk.ts";
import { readLink } from "../core/mounts/mount-point.ts";
import { resolvePath } from "../core/mounts/resolve-path.ts";
import type { Shares } from "../core/mounts/shares.ts";
import { containerPaths } from "../core/paths.ts";
import type { RootPlan } from "../core/rootfs.ts";

/** A folder of the image; an image's own links may not lead out of it. */
function findFolder(image: string, folder: string): string {
  let found = image;
  for (const name of folder.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") throw new Error(`rootfs "${folder}" leaves the image`);
    found = `${found}/${name}`;
    if ((sys.lstat(found).mode & S_IFMT) !== S_IFDIR)
      throw new Error(`rootfs "${folder}" is not a folder of the image`);
  }
  return found;
}

function openShare(share: string, path: string): string {
  const folder = resolvePath(share, path, readLink);
  if (!isDirectory(folder)) throw new Error(`image "${path}" is not a folder of the share`);
  return folder;
}

function openDisk(disk: Disk, containerId: string, readOnly: boolean): string {
  const target = containerPaths(containerId).image;
  mountDisk(disk, disk.device, target, readOnly);
  return target;
}

/** Finds what the root is made from, before the fork. */
export async function planRootfs(spec: Container, shares: Shares): Promise<RootPlan> {
  const { id: containerId, rootfs: folder, readOnly } = spec;
  const plan = { containerId, readOnly, plain: true };
  if (spec.fstype) {
    const disk = await findDisk(spec.image, spec.addr, spec.fstype);
    return {
      ...plan,
      open: () => findFolder(openDisk(disk, containerId, readOnly), folder),
      isFixed: () => disk.fixed,
    };
  }
  const share = await shares.mount(spec.tag);
  return {
    ...plan,
    open: () => findFolder(openShare(share, spec.image), folder),
    isFixed: () => false,
  };
}
