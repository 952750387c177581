/** What every container has besides its image: /proc, /sys, /dev, and the pod's files in /etc. */

import * as sys from "tiny:sys";
import { MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from "@husk/tiny";
import { makeStandardDevices } from "./devices.ts";
import { showMachineId } from "./machine-id.ts";
import { makeMountPoint } from "./mounts/mount-point.ts";
import type { GuestPath } from "./mounts/mount-step.ts";
import { containerPaths, podPaths } from "./paths.ts";
import { bindPodFiles } from "./pod-files.ts";

/** The folders that an image must have, or be able to get. */
export const SYSTEM_FOLDERS = ["/proc", "/sys", "/dev"] as const;

function mountDev(dev: string, guest: GuestPath, containerId: string): void {
  sys.mount("tmpfs", dev, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k");
  makeStandardDevices(dev);
  sys.mkdir(`${dev}/pts`, 0o755);
  sys.mount(guest(containerPaths(containerId).pts), `${dev}/pts`, null, MS_BIND, null);
  sys.mkdir(`${dev}/shm`, 0o1777);
  sys.mount(guest(podPaths.shm), `${dev}/shm`, null, MS_BIND, null);
}

/**
 * Mounts them, in the child, whose root is the container's. Their paths are those without links: as long as the old root
 * lies over the new one, a link with enough `..` would lead to it.
 */
export function mountSystem(guest: GuestPath, containerId: string): void {
  const quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  const [proc, system, dev] = SYSTEM_FOLDERS.map((folder) => makeMountPoint(folder, "folder")) as [
    string,
    string,
    string,
  ];
  // The child is in the pod's PID namespace, so this is the pod's view.
  sys.mount("proc", proc, "proc", quiet, null);
  sys.mount("sysfs", system, "sysfs", quiet | MS_RDONLY, null);
  showMachineId(guest, system);
  mountDev(dev, guest, containerId);
  bindPodFiles(guest);
}
