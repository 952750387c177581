import { HuskError } from "../../errors/index.ts";
import type { MachineType } from "../../types/index.ts";
import { MIN_MEMORY_MIB, type VmSpec } from "../types.ts";
import { chooseAccelerator } from "./accelerator.ts";
import type { QemuPlan } from "./command-line.ts";
import { checkAsset, checkInitramfs, findProgram } from "./guest-files.ts";
import { readTscKHz } from "./host-tsc.ts";
import { needsSharedMemory } from "./memory.ts";

/** QEMU, when the configuration does not name another. */
const DEFAULT_QEMU = "qemu-system-x86_64";
/** Slots for disks that are plugged in later: each one costs boot time. */
export const DEFAULT_SLOTS = 2;

/** Machines whose slots take disks while the VM runs. */
export function canHotplug(machine: MachineType): boolean {
  return machine === "q35";
}

/**
 * Fills in what the configuration leaves open, and checks all that can be checked before QEMU is started.
 * @throws HuskError ERR_ASSET_MISSING, ERR_MEMORY_TOO_SMALL, ERR_NOT_SUPPORTED, ERR_QEMU_MISSING, ERR_KVM_UNUSABLE
 */
export async function planVm(spec: VmSpec): Promise<{ plan: QemuPlan; program: string }> {
  const { config } = spec;
  if (spec.memory < MIN_MEMORY_MIB) {
    const text = `${spec.memory} MiB of memory are too few: the guest needs at least ${MIN_MEMORY_MIB} MiB to boot`;
    throw new HuskError("ERR_MEMORY_TOO_SMALL", text, { podId: spec.podId });
  }
  const kernelPath = checkAsset("the guest kernel (hypervisorConfig.kernelPath)", config.kernelPath);
  const imagePath = checkAsset("the guest image (hypervisorConfig.imagePath)", config.imagePath);
  checkInitramfs(imagePath);
  if (config.firmwarePath?.includes("/"))
    checkAsset("the firmware (hypervisorConfig.firmwarePath)", config.firmwarePath);
  const program = findProgram(config.hypervisorPath ?? DEFAULT_QEMU);
  const { accelerator } = await chooseAccelerator({ hypervisorPath: program, kernelPath, cache: spec.cache });
  const machine = config.hypervisorMachineType ?? "q35";
  const slots = canHotplug(machine) ? (config.defaultBridges ?? DEFAULT_SLOTS) : 0;
  const tscKHz = accelerator === "tcg" ? readTscKHz() : undefined;
  const sharedMemory = needsSharedMemory(spec);
  return {
    plan: { ...spec, machine, accelerator, tscKHz, kernelPath, imagePath, sharedMemory, slots },
    program,
  };
}
