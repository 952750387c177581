import { HuskError } from "../../errors/index.ts";
import type { BlockDeviceDriver, HypervisorConfig } from "../../types/index.ts";
import { MIN_MEMORY_MIB, type VmNetwork, type VmSpec } from "../types.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { checkCombination } from "./combination.ts";
import type { QemuPlan } from "./command-line.ts";
import { asDisk } from "./disks.ts";
import { checkAsset, checkInitramfs, findProgram, identifyGuestImage } from "./guest-files.ts";
import { readHostCpu } from "./host-cpu.ts";
import { checkHostMemory } from "./host-memory.ts";
import { maxMemoryOf, needsSharedMemory } from "./memory.ts";
import { hasVhostNet } from "./nics.ts";
import type { SlotPlan } from "./slots.ts";

/** QEMU, when the configuration does not name another. */
const DEFAULT_QEMU = "qemu-system-x86_64";
/** PCI slots for devices that are plugged in later: each one costs boot time. */
const DEFAULT_SLOTS = 2;
/** The driver of the original is virtio-scsi; its controller costs every boot, and its first disk the modules' time. */
export const DEFAULT_BLOCK_DRIVER: BlockDeviceDriver = "virtio-blk";
/** Id and serial number of the disk with the guest's own root. */
const ROOT_DISK_ID = "guestroot";

/** The machine of a VM, and its slots. */
export function planSlots({ hypervisorMachineType = "q35", defaultBridges }: HypervisorConfig): SlotPlan {
  const slots = hypervisorMachineType === "microvm" ? 0 : (defaultBridges ?? DEFAULT_SLOTS);
  return { machine: hypervisorMachineType, slots };
}

/**
 * Fills in what the configuration leaves open, and checks all that can be checked before QEMU is started.
 * @throws HuskError ERR_ASSET_MISSING, ERR_CONFIG_INVALID, ERR_HOST_MEMORY, ERR_KVM_UNUSABLE, ERR_MEMORY_TOO_SMALL,
 *   ERR_NO_DEVICE_SLOT, ERR_NOT_SUPPORTED, ERR_QEMU_MISSING
 */
export async function planVm(spec: VmSpec): Promise<{ plan: QemuPlan; program: string }> {
  const { config } = spec;
  if (spec.memory < MIN_MEMORY_MIB) {
    const text = `${spec.memory} MiB of memory are too few: the guest needs at least ${MIN_MEMORY_MIB} MiB to boot`;
    throw new HuskError("ERR_MEMORY_TOO_SMALL", text, { podId: spec.podId });
  }
  const kernelPath = checkAsset("the guest kernel (hypervisorConfig.kernelPath)", config.kernelPath);
  const image = findGuestImage(config);
  if (config.firmwarePath?.includes("/"))
    checkAsset("the firmware (hypervisorConfig.firmwarePath)", config.firmwarePath);
  const machine = planSlots(config);
  checkCombination({ ...spec, nics: [] }, machine, image.rootDisk !== undefined);
  checkHostMemory(spec);
  const drives = spec.drives.map(asDisk);
  const program = findProgram(config.hypervisorPath ?? DEFAULT_QEMU);
  const { accelerator } = await chooseAccelerator({ hypervisorPath: program, kernelPath, cache: spec.cache });
  const { tscKHz, isVirtual } = readHostCpu();
  const host = { accelerator, isNested: isVirtual, tscKHz: accelerator === "tcg" ? tscKHz : undefined };
  const nics = { nics: [], vhostNet: hasVhostNet(accelerator) };
  const sharedMemory = needsSharedMemory({ ...spec, ...nics });
  const blockDriver = config.blockDeviceDriver ?? DEFAULT_BLOCK_DRIVER;
  const maxMemory = maxMemoryOf(spec.memory, config);
  const parts = { ...machine, ...host, ...image, ...nics, maxMemory };
  return { plan: { ...spec, ...parts, kernelPath, drives, sharedMemory, blockDriver }, program };
}

/**
 * The plan of a VM whose networks have been set up.
 * @throws HuskError ERR_HOST_MEMORY, ERR_NO_DEVICE_SLOT, ERR_NOT_SUPPORTED
 */
export function withNetwork(plan: QemuPlan, { nics, vfioDevices }: VmNetwork): QemuPlan {
  const joined = { ...plan, nics, vfioDevices: [...plan.vfioDevices, ...vfioDevices] };
  checkCombination(joined, joined, joined.rootDisk !== undefined);
  checkHostMemory(joined);
  return { ...joined, sharedMemory: needsSharedMemory(joined) };
}

/** The guest's own root: an initramfs, or a disk, which another initramfs may load the drivers for. */
function findGuestImage(config: HypervisorConfig): Pick<QemuPlan, "initrdPath" | "rootDisk"> {
  const initrdPath =
    config.initrdPath && checkAsset("the initramfs (hypervisorConfig.initrdPath)", config.initrdPath);
  if (initrdPath) checkInitramfs(initrdPath);
  if (initrdPath && config.imagePath === undefined) return { initrdPath };
  const imagePath = checkAsset("the guest image (hypervisorConfig.imagePath)", config.imagePath);
  const kind = identifyGuestImage(imagePath);
  if (kind !== "initramfs")
    return { initrdPath, rootDisk: { ...asDisk({ id: ROOT_DISK_ID, imagePath }), fstype: kind } };
  if (initrdPath === undefined) return { initrdPath: imagePath };
  const text = "hypervisorConfig: imagePath and initrdPath are both an initramfs, and a VM has one";
  throw new HuskError("ERR_CONFIG_INVALID", text, {
    hint: "Leave one of them out, or give a disk image as imagePath.",
  });
}
