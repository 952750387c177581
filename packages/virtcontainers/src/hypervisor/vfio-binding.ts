import { existsSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { HuskError, messageOf } from "../errors/index.ts";
import { PCI_ADDRESS, type VfioFunction } from "./vfio.ts";

/** The driver that gives a device to a VM. */
const VFIO_DRIVER = "vfio-pci";

/**
 * Takes a PCI device from its driver of the host, for a VM.
 * @param address `domain:bus:device.function`
 * @param sysfs where sysfs is mounted
 * @throws HuskError ERR_NOT_SUPPORTED where the host has no IOMMU or no driver for it, ERR_DEVICE_MISSING
 */
export function bindToVfio(address: string, sysfs = "/sys"): VfioFunction {
  const device = join(sysfs, "bus/pci/devices", address);
  if (!PCI_ADDRESS.test(address) || !existsSync(device)) {
    throw new HuskError(
      "ERR_DEVICE_MISSING",
      `there is no PCI device ${JSON.stringify(address.slice(0, 80))}`,
    );
  }
  const needs = (what: string, hint: string) =>
    new HuskError("ERR_NOT_SUPPORTED", `the PCI device ${address} for the VM (VFIO): the host has ${what}`, {
      hint,
    });
  if (!existsSync(join(device, "iommu_group"))) {
    throw needs(
      "no IOMMU",
      "Switch it on in the firmware and on the kernel's command line (intel_iommu=on, amd_iommu=on).",
    );
  }
  if (!existsSync(join(sysfs, "bus/pci/drivers", VFIO_DRIVER))) {
    throw needs(`no driver ${VFIO_DRIVER}`, `Load it: modprobe ${VFIO_DRIVER}.`);
  }
  changeDriver(address, sysfs, VFIO_DRIVER);
  return { kind: "pci", address };
}

/**
 * Gives a PCI device back to its driver of the host, if it was taken by `bindToVfio`; else nothing happens.
 * @throws HuskError ERR_NOT_SUPPORTED
 */
export function returnFromVfio(address: string, sysfs = "/sys"): void {
  const override = join(sysfs, "bus/pci/devices", address, "driver_override");
  if (!PCI_ADDRESS.test(address) || !existsSync(override)) return;
  if (readFileSync(override, "latin1").trim() === VFIO_DRIVER) changeDriver(address, sysfs, "");
}

/** @param driver the one that it is to have; empty: whichever fits */
function changeDriver(address: string, sysfs: string, driver: string): void {
  const device = join(sysfs, "bus/pci/devices", address);
  try {
    writeFileSync(join(device, "driver_override"), `${driver}\n`);
    const current = join(device, "driver");
    if (existsSync(current) && basename(readlinkSync(current)) !== driver) {
      writeFileSync(join(current, "unbind"), address);
    }
    writeFileSync(join(sysfs, "bus/pci/drivers_probe"), address);
  } catch (error) {
    const text = `the PCI device ${address} does not change its driver: ${messageOf(error)}`;
    throw new HuskError("ERR_NOT_SUPPORTED", text, { cause: error });
  }
}
