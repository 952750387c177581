/** Paths of a container that show nothing, or cannot be written to. */

import * as sys from "tiny:sys";
import { AT_RECURSIVE, exists, isDirectory, MOUNT_ATTR_RDONLY, MS_BIND, MS_RDONLY, MS_REC } from "@husk/tiny";
import { resolveInContainer } from "../mounts/mount-point.ts";
import type { GuestPath } from "../mounts/mount-step.ts";

/** Makes a path read-only with all below it. One that is not there needs no protection. */
export function fixPath(path: string): void {
  const target = resolveInContainer(path);
  if (!exists(target)) return;
  sys.mount(target, target, null, MS_BIND | MS_REC, null);
  sys.mountSetattr(target, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0);
}

/** Covers a folder with an empty one, a file with nothing. */
export function maskPath(path: string, guest: GuestPath): void {
  const target = resolveInContainer(path);
  if (!exists(target)) return;
  if (isDirectory(target)) sys.mount("tmpfs", target, "tmpfs", MS_RDONLY, null);
  else sys.mount(guest("/dev/null"), target, null, MS_BIND, null);
}
