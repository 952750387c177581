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

/** Mounts /proc, /sys, /dev and /run. */
export function mountEarly(): void {
  coverRoot();
  const quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  for (const folder of ["/proc", "/sys", "/dev", "/run"]) makeDirectories(folder);
  sys.mount("proc", "/proc", "proc", quiet, null);
  sys.mount("sysfs", "/sys", "sysfs", quiet, null);
  sys.mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, null);
  sys.mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755");
}
