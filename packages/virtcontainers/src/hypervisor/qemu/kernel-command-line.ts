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

/** Under TCG the timer of the local APIC costs a calibration, and is no better than the others. */
const TUNED_FOR_TCG = ["nolapic_timer"];

function paramText({ key, value }: Param): string {
  return value ? `${key}=${value}` : key;
}

/** What the words depend on. */
export interface KernelPlan {
  readonly config: HypervisorConfig;
  readonly machine: MachineType;
  readonly accelerator: "kvm" | "tcg";
}

/** The guest kernel's command line; the user's own parameters come last and win. */
export function kernelCommandLine(plan: KernelPlan): string {
  const { config, machine, accelerator } = plan;
  const words = [...TUNED, "console=ttyS0", "panic=-1"];
  if (accelerator === "tcg" && machine !== "microvm") words.push(...TUNED_FOR_TCG);
  if (machine === "microvm") words.push("pci=off");
  words.push(...(config.debug ? ["loglevel=7", "HUSK_LOG=debug"] : ["quiet"]));
  words.push(...(config.kernelParams ?? []).map(paramText));
  return words.join(" ");
}
