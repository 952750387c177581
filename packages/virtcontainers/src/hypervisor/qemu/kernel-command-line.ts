import type { HypervisorConfig, MachineType, Param } from "../../types/index.ts";

/**
 * Words that make the guest's kernel boot quicker, each measured; none of them takes away one of its defences. See
 * docs/performance.md.
 */
const TUNED = [
  "cryptomgr.notests",
  "noreplace-smp",
  "tsc=reliable",
  "no_timer_check",
  "rcupdate.rcu_expedited=1",
];

/**
 * Under TCG the timer of the local APIC costs 100 ms of calibration, and that of a second processor can fall silent on a busy
 * machine. The one that is taken instead wakes an idle guest up 18 times a second, which takes 1 % of a processor.
 */
const OTHER_TIMER = ["nolapic_timer"];

function paramText({ key, value }: Param): string {
  return value ? `${key}=${value}` : key;
}

/** What the words depend on. */
export interface KernelPlan {
  readonly config: HypervisorConfig;
  readonly machine: MachineType;
  readonly accelerator: "kvm" | "tcg";
  /** virtual processors that it starts with */
  readonly vcpus: number;
  /** how it runs counts for more than how long it boots */
  readonly isBlank?: boolean;
  /** frequency of the host's time stamp counter in kHz; undefined: not known */
  readonly tscKHz?: number | undefined;
  /** the disk with the guest's own root: the first one; undefined: the guest lives in its initramfs */
  readonly rootDisk?: { readonly id: string; readonly fstype: string } | undefined;
  readonly initrdPath?: string | undefined;
}

/** Drivers that an initramfs loads may find the disks in any order; those in the kernel find the first one first. */
function rootDevice({ rootDisk, initrdPath }: KernelPlan): string {
  return initrdPath === undefined ? "/dev/vda" : `/dev/disk/by-id/virtio-${rootDisk?.id}`;
}

/** Whether it is worth while, and safe, to have the timer that takes longer to set up. */
function mayTakeItsTime({ config, vcpus, isBlank = false }: KernelPlan): boolean {
  return isBlank && (config.defaultMaxVCPUs ?? vcpus) === 1;
}

/** The guest kernel's command line; the user's own parameters come last and win. */
export function kernelCommandLine(plan: KernelPlan): string {
  const { config, machine, accelerator, tscKHz, rootDisk } = plan;
  const words = [...TUNED, "console=ttyS0", "panic=-1"];
  if (accelerator === "tcg" && machine !== "microvm" && !mayTakeItsTime(plan)) words.push(...OTHER_TIMER);
  // TCG's guest sees the host's counter. To measure it takes time, and a microvm, which has no other clock to measure it
  // by than the PIT, fails at it on a busy machine and hangs.
  if (accelerator === "tcg" && tscKHz !== undefined) words.push(`tsc_early_khz=${tscKHz}`);
  if (rootDisk) words.push(`root=${rootDevice(plan)}`, `rootfstype=${rootDisk.fstype}`, "ro");
  if (machine === "microvm") words.push("pci=off");
  words.push(...(config.debug ? ["loglevel=7", "HUSK_LOG=debug"] : ["quiet"]));
  words.push(...(config.kernelParams ?? []).map(paramText));
  return words.join(" ");
}
