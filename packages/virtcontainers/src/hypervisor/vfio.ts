import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { HuskError } from "../errors/index.ts";

/** A function of a PCI device of the host, or a mediated device, that a VM gets for itself. */
export type VfioFunction =
  | { readonly kind: "pci" /** `domain:bus:device.function` */; readonly address: string }
  | { readonly kind: "mediated" /** its folder in sysfs */; readonly path: string };

/** Whether two are the same device of the host. */
export function isSameFunction(one: VfioFunction, other: VfioFunction): boolean {
  const name = (vfio: VfioFunction) => (vfio.kind === "pci" ? vfio.address : vfio.path);
  return name(one) === name(other);
}

/** Address of a PCI function: `domain:bus:device.function`. */
export const PCI_ADDRESS = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Class of a bridge between PCI buses: it stays with the host, whichever group it is in. */
const PCI_BRIDGE = "0x0604";

/**
 * The functions of an IOMMU group (`/dev/vfio/<group>`). A VM gets all or none: within a group they can reach each other's
 * memory.
 * @param group name of the group, a number
 * @param sysfs where sysfs is mounted
 * @throws HuskError ERR_NOT_SUPPORTED where the host has no IOMMU, ERR_ASSET_MISSING, ERR_CONFIG_INVALID
 */
export function readVfioGroup(group: string, sysfs = "/sys"): VfioFunction[] {
  if (!/^\d{1,9}$/.test(group)) {
    throw new HuskError("ERR_CONFIG_INVALID", `not a VFIO group: ${JSON.stringify(group.slice(0, 80))}`);
  }
  const groups = join(sysfs, "kernel/iommu_groups");
  if (namesIn(groups).length === 0) {
    throw new HuskError(
      "ERR_NOT_SUPPORTED",
      "a device of the host for the VM (VFIO): the host has no IOMMU",
      {
        hint: "Switch it on in the firmware and on the kernel's command line (intel_iommu=on, amd_iommu=on).",
      },
    );
  }
  const names = namesIn(join(groups, group, "devices")).sort();
  const functions = names.flatMap((name) => readFunction(name, group, sysfs) ?? []);
  if (functions.length > 0) return functions;
  throw new HuskError("ERR_ASSET_MISSING", `the VFIO group ${group} is not there, or has no device for a VM`);
}

function readFunction(name: string, group: string, sysfs: string): VfioFunction | undefined {
  if (UUID.test(name)) return { kind: "mediated", path: realpathSync(join(sysfs, "bus/mdev/devices", name)) };
  if (!PCI_ADDRESS.test(name)) {
    const text = `the VFIO group ${group} has a device that is not PCI: ${name}`;
    throw new HuskError("ERR_NOT_SUPPORTED", text, { hint: "Give a group of PCI or mediated devices." });
  }
  const deviceClass = readFileSync(join(sysfs, "bus/pci/devices", name, "class"), "latin1");
  return deviceClass.startsWith(PCI_BRIDGE) ? undefined : { kind: "pci", address: name };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
