import { HuskError } from "../../errors/index.ts";
import type { QemuPlan } from "./command-line.ts";
import type { SlotPlan } from "./slots.ts";

/** What has to work together; drives by their number. */
type Combination = Pick<QemuPlan, "config" | "vcpus" | "ports" | "shares" | "vfioDevices" | "nics"> & {
  readonly drives: readonly unknown[];
};

/** PCI devices on the root bus beside the chipset's own (0x00, and 0x1f on a q35, 0x01 on a pc). */
const ROOT_BUS_DEVICES = 30;

/**
 * Refuses what cannot work together, by the names of the fields.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED, ERR_NO_DEVICE_SLOT
 */
export function checkCombination(spec: Combination, machine: SlotPlan, hasRootDisk: boolean): void {
  const { config } = spec;
  if (config.disableBlockDeviceUse && spec.drives.length > 0) {
    const text = "hypervisorConfig.disableBlockDeviceUse: a root file system is a disk image";
    throw new HuskError("ERR_NOT_SUPPORTED", text, {
      hint: "Give a directory as rootFs, or allow block devices.",
    });
  }
  if ((config.defaultMaxVCPUs ?? spec.vcpus) < spec.vcpus) {
    const text = `hypervisorConfig.defaultMaxVCPUs: ${config.defaultMaxVCPUs} is less than the ${spec.vcpus} that the VM starts with`;
    throw new HuskError("ERR_CONFIG_INVALID", text);
  }
  if (machine.machine === "microvm") checkMicrovm(spec);
  else checkRootBus(spec, machine, hasRootDisk);
}

function checkMicrovm({ config, vcpus, vfioDevices }: Combination): void {
  const hint = "Use the machine type q35.";
  if ((config.defaultMaxVCPUs ?? vcpus) > vcpus || config.memSlots) {
    const text = "hypervisorConfig.defaultMaxVCPUs, memSlots: a microvm cannot grow while it runs";
    throw new HuskError("ERR_NOT_SUPPORTED", text, { hint });
  }
  if (config.defaultBridges) {
    const text = "hypervisorConfig.defaultBridges: a microvm has no PCI bus, and so no slots";
    throw new HuskError("ERR_NOT_SUPPORTED", text, { hint });
  }
  if (vfioDevices.length > 0) {
    throw new HuskError("ERR_NOT_SUPPORTED", "a microvm has no PCI bus for devices of the host", { hint });
  }
}

function checkRootBus(spec: Combination, { slots }: SlotPlan, hasRootDisk: boolean): void {
  const { config, ports, drives, shares, vfioDevices, nics } = spec;
  const disks = config.blockDeviceDriver === "virtio-scsi" ? 1 : drives.length;
  const single = (ports.length > 0 ? 1 : 0) + (hasRootDisk ? 1 : 0);
  const others = single + shares.length + vfioDevices.length + nics.length;
  const needed = slots + disks + others;
  if (needed <= ROOT_BUS_DEVICES) return;
  const text = `the VM has room for ${ROOT_BUS_DEVICES} PCI devices, and would need ${needed}`;
  throw new HuskError("ERR_NO_DEVICE_SLOT", text, {
    hint: "Use the blockDeviceDriver virtio-scsi, or fewer defaultBridges (slots), root file systems or shares.",
  });
}
