/** The machine's virtio devices, as the bus tells of them. */

import * as sys from "tiny:sys";
import { readTextIfThere } from "@husk/tiny";

const DEVICES = "/sys/bus/virtio/devices";

/** Kinds of devices, by the ids that the bus has for them. */
export const VirtioKind = { NET: "0x0001", VSOCK: "0x0013" } as const;

/** Whether the machine has a device of this kind, as far as it has been found yet. */
export function hasVirtio(kind: (typeof VirtioKind)[keyof typeof VirtioKind]): boolean {
  let names: string[];
  try {
    names = sys.readdir(DEVICES);
  } catch {
    // The bus has no driver yet.
    return false;
  }
  return names.some((name) => readTextIfThere(`${DEVICES}/${name}/device`)?.trim() === kind);
}
