import type { MachineType } from "@husk/virtcontainers";
import { type Command, Option } from "commander";
import { parsePositive } from "./numbers.ts";

/** The options that say what the VM is like, whatever is in it. */
export interface VmOptions {
  /** guest memory in MiB */
  memory?: number;
  /** number of virtual CPUs */
  cpus?: number;
  /** number of virtual CPUs that the VM can grow to */
  maxCpus?: number;
  /** times that the VM can get more memory */
  memorySlots?: number;
  /** machine to emulate */
  machine?: MachineType;
  /** the guest's agent */
  agent?: "hyperstart" | "kata";
  /** room for disks and network interfaces that are added later */
  slots?: number;
  /** let the guest talk on its console */
  debug?: boolean;
}

/** Adds those options. */
export function addVmOptions(command: Command): Command {
  return command
    .option("--memory <MIB>", "memory of the VM in MiB", parsePositive)
    .option("--cpus <N>", "number of virtual CPUs of the VM", parsePositive)
    .option("--max-cpus <N>", "virtual CPUs that the VM can grow to (default: it cannot)", parsePositive)
    .option("--memory-slots <N>", "times that the VM can get more memory (default: none)", parsePositive)
    .addOption(
      new Option("--machine <TYPE>", "machine to emulate (default: q35)").choices(["q35", "microvm", "pc"]),
    )
    .addOption(
      new Option("--agent <KIND>", "how the guest's agent is spoken with (default: hyperstart)").choices([
        "hyperstart",
        "kata",
      ]),
    )
    .option(
      "--slots <N>",
      "room for network interfaces that are added later (default: none; with a template or a cache: 4)",
      parsePositive,
    )
    .option("--debug", "let the guest talk on its console, show more of errors");
}
