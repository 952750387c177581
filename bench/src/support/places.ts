import { join } from "node:path";

/** output of the build */
const BUILD = join(import.meta.dirname, "../../../build");
/** the command line, as users start it */
export const HUSK = join(BUILD, "husk.cjs");
/** the demo's root file system: busybox */
export const DEMO_ROOTFS = join(BUILD, "rootfs/busybox");
/** the guest's kernel */
export const KERNEL = join(BUILD, "guest/vmlinux");
/** the guest's initramfs */
export const INITRAMFS = join(BUILD, "guest/initramfs.cpio");
/** the guest's agent by itself */
export const AGENT = join(BUILD, "guest/agent");
/** the load order of the guest's kernel modules */
export const MODULE_ORDER = join(BUILD, "guest/modules/order.json");
/** folder of the proxies and shims */
export const RESIDENTS = join(BUILD, "resident");
