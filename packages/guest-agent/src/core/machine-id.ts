/** The machine's uuid as programs find it. A VM that began as another's copy has that one's in its memory, so it is given its own. */

import * as sys from "tiny:sys";
import { Errno, exists, hasErrno, MOUNT_ATTR_RDONLY, MS_BIND, writeText } from "@husk/tiny";
import type { GuestPath } from "./mounts/mount-step.ts";
import { podPaths } from "./paths.ts";

/** Where it is below a sysfs; `/sys/class/dmi/id` leads there. */
const PRODUCT_UUID = "/devices/virtual/dmi/id/product_uuid";
const UUID_BYTES = 16;
const DIGITS = "0123456789abcdef";

/** undefined: that of the machine itself */
let own: string | undefined;

/** Without anything that a fresh copy has not done before: each new piece of code takes it longer than its work. */
function uuidText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at++) {
    if (at === 4 || at === 6 || at === 8 || at === 10) text += "-";
    const byte = bytes[at] ?? 0;
    text += DIGITS.charAt(byte >> 4) + DIGITS.charAt(byte & 0x0f);
  }
  return text;
}

/** Draws another, for the pods that come. The kernel's random numbers are the VM's own already. */
export function renewMachineId(): void {
  const bytes = new Uint8Array(UUID_BYTES);
  sys.getrandom(bytes);
  // Version 4, and the variant of RFC 4122.
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  own = uuidText(bytes);
}

/** Writes it for the containers of a pod that is set up, with the mode that the kernel's has. */
export function writeMachineId(): void {
  if (own !== undefined) writeText(podPaths.machineId, `${own}\n`, 0o400);
}

/** Shows it in a container's sysfs, in the child, whose root is the container's. */
export function showMachineId(guest: GuestPath, sysfs: string): void {
  const target = `${sysfs}${PRODUCT_UUID}`;
  if (!exists(guest(podPaths.machineId)) || !exists(target)) return;
  try {
    sys.mount(guest(podPaths.machineId), target, null, MS_BIND, null);
    sys.mountSetattr(target, 0, MOUNT_ATTR_RDONLY, 0);
  } catch (error) {
    // A user namespace may lack the right; its root cannot read what is there.
    if (!hasErrno(error, Errno.EPERM, Errno.EACCES)) throw error;
  }
}
