import { join } from "node:path";

/** root of the repository */
const REPOSITORY = join(import.meta.dirname, "../../..");
/** output of the build */
const BUILD = join(REPOSITORY, "build");
/** the command line, as users start it */
export const HUSK = join(BUILD, "husk.cjs");
/** the demo's root file system: busybox */
export const DEMO_ROOTFS = join(BUILD, "rootfs/busybox");
/** the guest's kernel */
export const KERNEL = join(BUILD, "guest/vmlinux");
/** the guest's initramfs */
export const INITRAMFS = join(BUILD, "guest/initramfs.cpio");
