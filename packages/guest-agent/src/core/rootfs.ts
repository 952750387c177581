/**
 * The root file system of a container, set up by the forked child in the container's own mount namespace: whatever
 * fails here ends with that child, and its mounts with it. Reference: seed 001, step 8; hyperstart.md 4.2.
 */

import * as sys from "tiny:sys";
import {
  exists,
  MNT_DETACH,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_RDONLY,
  MS_BIND,
  MS_NODEV,
  MS_PRIVATE,
  MS_REC,
  O_RDONLY,
  withFile,
} from "@husk/tiny";
import { loadModule } from "../boot/modules.ts";
import { readLink } from "./mounts/mount-point.ts";
import type { GuestPath } from "./mounts/mount-step.ts";
import { resolvePath } from "./mounts/resolve-path.ts";
import { containerPaths } from "./paths.ts";

/** What the root is made from. */
export interface RootPlan {
  containerId: string;
  /** In the child: the folder of the guest that is the root, mounted. */
  open(): string;
  /** In the child: whether that folder cannot be written to. */
  isFixed(folder: string): boolean;
  readOnly: boolean;
  /** whether device nodes on it mean nothing, and what is mounted below the folder is left out */
  plain: boolean;
  /** In the child: puts into the layer over the image, which nobody has seen yet, what the container is to have. */
  fillLayer?(image: string, layer: string): void;
  /** `MS_SHARED` and the like, with or without `MS_REC`; undefined for private */
  propagation?: number | undefined;
  /** In the child: done when the root is mounted where it is given, before it is pivoted to. */
  beforePivot?(root: string): void;
}

/** Puts a layer over the image. What goes into it lives in memory and goes with the mount namespace. */
function mountOverlay({ containerId, plain, fillLayer }: RootPlan, lower: string): void {
  const paths = containerPaths(containerId);
  loadModule("overlay");
  // By a name that has nothing in it that means something in the options.
  if (lower !== paths.image) sys.mount(lower, paths.image, null, MS_BIND, null);
  sys.mount("tmpfs", paths.scratch, "tmpfs", MS_NODEV, "mode=755");
  const [upper, work] = [`${paths.scratch}/upper`, `${paths.scratch}/work`];
  sys.mkdir(upper, 0o755);
  sys.mkdir(work, 0o755);
  fillLayer?.(lower, upper);
  const options = `lowerdir=${paths.image},upperdir=${upper},workdir=${work}`;
  sys.mount("overlay", paths.root, "overlay", plain ? MS_NODEV : 0, options);
}

/**
 * Mounts the root.
 *
 * @param points what is going to be mounted on: a read-only image that lacks one of them gets it in an overlay
 */
function mountRoot(plan: RootPlan, points: readonly string[]): void {
  const { root } = containerPaths(plan.containerId);
  const lower = plan.open();
  const lacks = () => points.some((point) => !exists(resolvePath(lower, point, readLink)));
  const needsLayer =
    plan.readOnly && plan.plain ? lacks() : plan.isFixed(lower) && (!plan.readOnly || lacks());
  if (needsLayer) {
    mountOverlay(plan, lower);
    return;
  }
  sys.mount(lower, root, null, MS_BIND | (plan.plain ? 0 : MS_REC), null);
  if (plan.plain) sys.mountSetattr(root, 0, MOUNT_ATTR_NODEV | (plan.readOnly ? MOUNT_ATTR_RDONLY : 0), 0);
}

/**
 * Mounts the image and makes it the root of this process. What else is mounted comes after the pivot, with absolute
 * names: a link in the image then leads nowhere but into the image. Until the old root is let go, it is the working
 * directory, so what is bound from there is named from it.
 *
 * @param points what `furnish` is going to mount on
 */
export function enterRootfs(
  plan: RootPlan,
  points: readonly string[],
  furnish: (guest: GuestPath) => void,
): void {
  sys.mount(null, "/", null, MS_REC | MS_PRIVATE, null);
  withFile("/", O_RDONLY, 0, (oldRoot) => {
    mountRoot(plan, points);
    const { root } = containerPaths(plan.containerId);
    plan.beforePivot?.(root);
    sys.chdir(root);
    sys.pivotRoot(".", ".");
    sys.fchdir(oldRoot);
  });
  furnish((path) => `.${path}`);
  sys.umount(".", MNT_DETACH);
  sys.chdir("/");
  if (plan.propagation !== undefined) sys.mount(null, "/", null, plan.propagation, null);
  // It may be already, but not an overlay in which mount points were made.
  if (plan.readOnly) sys.mountSetattr("/", 0, MOUNT_ATTR_RDONLY, 0);
}
