/** The file systems that PID 1 needs before anything else. Reference: seed 001, and hyperstart's own boot. */

import * as sys from "tiny:sys";
import { MS_BIND, MS_MOVE, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_REC, makeDirectories } from "@husk/tiny";

/**
 * Puts a mount of the initramfs over itself. The kernel's first root has no parent mount, so `pivot_root` refuses to
 * leave it; containers are to be pivoted into their roots, and this mount they can leave.
 */
function coverRoot(): void {
  makeDirectories("/run/root");
  sys.mount("/", "/run/root", null, MS_BIND | MS_REC, null);
  sys.chdir("/run/root");
  sys.mount(".", "/", null, MS_MOVE, null);
  sys.chroot(".");
  sys.chdir("/");
}

/** Whether this is the kernel's first root, in memory: only the file system of a disk has a device with a major number. */
export function isInitramfs(): boolean {
  return sys.stat("/").dev < 0x100;
}

function mountUnlessThere(folder: string, type: string, flags: number, data: string | null = null): void {
  makeDirectories(folder);
  // An initramfs hands its own on to the root on a disk.
  if (sys.stat(folder).dev === sys.stat("/").dev) sys.mount(type, folder, type, flags, data);
}

/** Mounts /proc, /sys, /dev and /run. */
export function mountEarly(): void {
  if (isInitramfs()) coverRoot();
  const quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  mountUnlessThere("/proc", "proc", quiet);
  mountUnlessThere("/sys", "sysfs", quiet);
  mountUnlessThere("/dev", "devtmpfs", MS_NOSUID);
  mountUnlessThere("/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
}
