import type { HypervisorConfig, MachineType, Param } from "../../types/index.ts";

/**
 * Words that make the guest's kernel boot quicker, each measured; none of them takes away one of its defences. See
 * docs/performance.md.
 */
const TUNED = [
  "cryptomgr.notests",
  "noreplace-smp",
  "i8042.noaux",
  "i8042.nokbd",
  "i8042.nopnp",
  "random.trust_cpu=on",
  "tsc=reliable",
  "no_timer_check",
  "8250.nr_uarts=1",
  "debugfs=off",
];

function paramText({ key, value }: Param): string {
  return value ? `${key}=${value}` : key;
}

/** The guest kernel's command line; the user's own parameters come last and win. */
export function kernelCommandLine(config: HypervisorConfig, machine: MachineType): string {
  const words = [...TUNED, "console=ttyS0", "panic=-1"];
  if (machine === "microvm") words.push("pci=off");
  words.push(...(config.debug ? ["loglevel=7", "husk.log=debug"] : ["quiet"]));
  words.push(...(config.kernelParams ?? []).map(paramText));
  return words.join(" ");
}
