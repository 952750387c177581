/** From the initramfs to a root on a disk: what a kernel with all its drivers built in does by itself. */

import * as sys from "tiny:sys";
import { exists, isDirectory, MNT_DETACH, MS_MOVE, MS_RDONLY, makeDirectories, readText } from "@husk/tiny";
import { findBlockDevice } from "../core/block-device.ts";
import { isInitramfs } from "./early-mounts.ts";
import { loadModule } from "./modules.ts";
import { readDiskRoot } from "./root-words.ts";

const NEW_ROOT = "/root";
const MODULES = "/lib/modules";

/**
 * Goes to the root on a disk that the kernel's command line names, and becomes its init. Returns when none is named, or
 * when the root is on a disk already.
 *
 * @throws Error when the disk is not there, cannot be mounted or has no init
 */
export async function enterDiskRoot(): Promise<void> {
  if (!isInitramfs()) return;
  const root = readDiskRoot(readText("/proc/cmdline"));
  if (!root) return;
  const device = await findBlockDevice(root.disk);
  loadModule(root.fstype);
  makeDirectories(NEW_ROOT);
  sys.mount(device, NEW_ROOT, root.fstype, root.readOnly ? MS_RDONLY : 0, null);
  if (!exists(`${NEW_ROOT}${root.init}`)) throw new Error(`${device} has no ${root.init}`);
  freeInitramfs();
  for (const folder of ["/dev", "/proc", "/run", "/sys"]) moveMount(folder);
  sys.chdir(NEW_ROOT);
  sys.mount(".", "/", null, MS_MOVE, null);
  sys.chroot(".");
  sys.chdir("/");
  sys.execve(root.init, [root.init], sys.environ);
}

function moveMount(folder: string): void {
  const target = `${NEW_ROOT}${folder}`;
  if (isDirectory(target)) sys.mount(folder, target, null, MS_MOVE, null);
  else sys.umount(folder, MNT_DETACH);
}

/** What is in the initramfs would stay in the guest's memory for ever. */
function freeInitramfs(): void {
  for (const name of sys.readdir(MODULES)) sys.unlink(`${MODULES}/${name}`);
  sys.unlink("/init");
}
