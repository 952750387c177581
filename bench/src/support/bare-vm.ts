import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { deletePod, statusPod } from "@husk/virtcontainers";
import type { BenchPlace } from "./bench-place.ts";

/** Options of husk's QEMU that a bare VM does without: all that ties it to husk, and its devices. */
const LEFT_OUT = new Set(
  "-name -uuid -initrd -add-fd -chardev -serial -mon -qmp -device -blockdev -drive -sandbox -pidfile -object".split(
    " ",
  ),
);

/**
 * How QEMU is started for husk's pods, without the devices: the same machine, CPU, memory, kernel and command
 * line.
 */
export interface BareVm {
  readonly program: string;
  readonly args: readonly string[];
}

/** Boots a pod to see how husk starts QEMU, and takes its devices away. */
export async function readBareVm(place: BenchPlace): Promise<BareVm> {
  await place.startRestingPod("look", ["look"]);
  const { hypervisorPid } = await statusPod("look", place.options);
  const [program = "", ...args] = readFileSync(`/proc/${hypervisorPid}/cmdline`, "utf8")
    .split("\0")
    .slice(0, -1);
  await deletePod("look", place.options);
  return { program, args: keepBare(args) };
}

/** Drops options together with their values; an option has a value when no other option follows. */
export function keepBare(args: readonly string[]): string[] {
  let keep = true;
  return args.filter((arg) => {
    if (arg.startsWith("-")) keep = !LEFT_OUT.has(arg);
    return keep;
  });
}

/** The same VM with more words on its kernel's command line. */
export function withKernelWords(vm: BareVm, words: readonly string[]): BareVm {
  const at = vm.args.indexOf("-append") + 1;
  return { ...vm, args: vm.args.with(at, `${vm.args[at]} ${words.join(" ")}`) };
}

/** Starts a bare VM. */
export function startBareVm({ program, args }: BareVm, more: readonly string[]) {
  return spawn(program, [...args, ...more], { stdio: ["ignore", "ignore", "inherit"] });
}
