/**
 * The root file system of a container, set up by the forked child in the container's own mount namespace: whatever
 * fails here ends with that child, and its mounts with it. Reference: seed 001, step 8; hyperstart.md 4.2.
 */

import * as sys from "tiny:sys";
import {
  exists,
  isDirectory,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_NODEV,
  MS_PRIVATE,
  MS_REC,
  O_RDONLY,
  S_IFDIR,
  S_IFMT,
  withFile,
} from "@husk/tiny";
import type { Container as ContainerSpec } from "@husk/wire/hyperstart";
import { loadModule } from "../boot/modules.ts";
import { type Disk, findDisk, mountDisk } from "./mounts/disk.ts";
import { readLink } from "./mounts/mount-point.ts";
import type { GuestPath } from "./mounts/mount-step.ts";
import { resolvePath } from "./mounts/resolve-path.ts";
import type { Shares } from "./mounts/shares.ts";
import { containerPaths } from "./paths.ts";

/** What the root is made from. */
export interface RootfsSource {
  containerId: string;
  /** the disk with the image, or the share that has it, and where in it */
  image: { disk: Disk } | { share: string; path: string };
  /** folder in the image that is the root; "" for all of it */
  folder: string;
  readOnly: boolean;
}

/** Finds it, before the fork. */
export async function findRootfs(spec: ContainerSpec, shares: Shares): Promise<RootfsSource> {
  const { id: containerId, rootfs: folder, readOnly } = spec;
  const image = spec.fstype
    ? { disk: await findDisk(spec.image, spec.addr, spec.fstype) }
    : { share: await shares.mount(spec.tag), path: spec.image };
  return { containerId, image, folder, readOnly };
}

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

function openImage({ containerId, image, readOnly }: RootfsSource): string {
  if ("disk" in image) {
    const target = containerPaths(containerId).image;
    mountDisk(image.disk, image.disk.device, target, readOnly);
    return target;
  }
  const folder = resolvePath(image.share, image.path, readLink);
  if (!isDirectory(folder)) throw new Error(`image "${image.path}" is not a folder of the share`);
  return folder;
}

/** Puts a layer over the image. What goes into it lives in memory and goes with the mount namespace. */
function mountOverlay(source: RootfsSource, lower: string): void {
  const paths = containerPaths(source.containerId);
  loadModule("overlay");
  // By a name that has nothing in it that means something in the options.
  if (lower !== paths.image) sys.mount(lower, paths.image, null, MS_BIND, null);
  sys.mount("tmpfs", paths.scratch, "tmpfs", MS_NODEV, "mode=755");
  const [upper, work] = [`${paths.scratch}/upper`, `${paths.scratch}/work`];
  sys.mkdir(upper, 0o755);
  sys.mkdir(work, 0o755);
  const options = `lowerdir=${paths.image},upperdir=${upper},workdir=${work}`;
  sys.mount("overlay", paths.root, "overlay", MS_NODEV, options);
}

/**
 * Mounts the root.
 *
 * @param points what is going to be mounted on: a read-only image that lacks one of them gets it in an overlay
 */
function mountRoot(source: RootfsSource, points: readonly string[]): void {
  const { root } = containerPaths(source.containerId);
  const lower = findFolder(openImage(source), source.folder);
  const isFixed = "disk" in source.image && source.image.disk.fixed;
  const lacks = () => points.some((point) => !exists(resolvePath(lower, point, readLink)));
  if (source.readOnly ? lacks() : isFixed) {
    mountOverlay(source, lower);
    return;
  }
  sys.mount(lower, root, null, MS_BIND, null);
  sys.mountSetattr(root, 0, MOUNT_ATTR_NODEV | (source.readOnly ? MOUNT_ATTR_RDONLY : 0), 0);
}

/**
 * Mounts the image and makes it the root of this process. What else is mounted comes after the pivot, with absolute
 * names: a link in the image then leads nowhere but into the image. Until the old root is let go, it is the working
 * directory, so what is bound from there is named from it.
 *
 * @param points what `furnish` is going to mount on
 */
export function enterRootfs(
  source: RootfsSource,
  points: readonly string[],
  furnish: (guest: GuestPath) => void,
): void {
  sys.mount(null, "/", null, MS_REC | MS_PRIVATE, null);
  withFile("/", O_RDONLY, 0, (oldRoot) => {
    mountRoot(source, points);
    sys.chdir(containerPaths(source.containerId).root);
    sys.pivotRoot(".", ".");
    sys.fchdir(oldRoot);
  });
  furnish((path) => `.${path}`);
  sys.umount(".", MNT_DETACH);
  sys.chdir("/");
  // It is already, but for an overlay in which mount points were made.
  if (source.readOnly) sys.mountSetattr("/", 0, MOUNT_ATTR_RDONLY, 0);
}
