import { basename } from "node:path";
import type { QmpDevice } from "@husk/wire/qmp";
import type { VfioFunction } from "../vfio.ts";
import { placeOf } from "./slots.ts";

/** Name in the VM of a device of the host. */
export function vfioName(vfio: VfioFunction): string {
  const name = vfio.kind === "pci" ? vfio.address : basename(vfio.path);
  return `vfio-${name.replaceAll(/[:.]/g, "-")}`;
}

/** A device of the host, at an address in the VM or wherever there is room. */
export function vfioDeviceOf(vfio: VfioFunction, addr?: string): QmpDevice {
  const source = vfio.kind === "pci" ? { host: vfio.address } : { sysfsdev: vfio.path };
  const place = addr === undefined ? {} : placeOf(addr);
  return { driver: "vfio-pci", id: vfioName(vfio), ...source, ...place };
}

/** The devices of the host that are in the VM from the start. */
export function vfioArguments(functions: readonly VfioFunction[]): string[] {
  return functions.flatMap((vfio) => ["-device", JSON.stringify(vfioDeviceOf(vfio))]);
}
