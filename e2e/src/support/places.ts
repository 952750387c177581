import { join } from "node:path";

/** root of the repository */
export const REPOSITORY = join(import.meta.dirname, "../../..");
/** output of the build */
const BUILD = join(REPOSITORY, "build");
/** the command line, as users start it */
export const HUSK = join(BUILD, "husk.cjs");
/** the runtime whose containers are VMs */
export const VM_RUNTIME = join(BUILD, "husk-vm-runtime.cjs");
/** the demo's root file system: busybox */
export const DEMO_ROOTFS = join(BUILD, "rootfs/busybox");
/** the guest's kernel */
export const KERNEL = join(BUILD, "guest/vmlinux");
/** the guest's initramfs */
export const INITRAMFS = join(BUILD, "guest/initramfs.cpio");
/** the guest's agent, a static program */
export const AGENT = join(BUILD, "guest/agent");
/** the kernel modules that the guest may load */
export const MODULES = join(BUILD, "guest/modules");
/** folder of the proxies and shims */
export const RESIDENTS = join(BUILD, "resident");
