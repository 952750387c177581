import { readFileSync } from "node:fs";
import { HuskError } from "../../errors/index.ts";
import type { HypervisorConfig } from "../../types/index.ts";
import type { VmSpec } from "../types.ts";

/** Where the host tells of its memory, and of what a process may do with it; others in tests. */
export interface MemoryFacts {
  readonly meminfo: string;
  /** of the process that starts QEMU: its limits and capabilities are inherited */
  readonly limits: string;
  readonly status: string;
}

const PROC: MemoryFacts = {
  meminfo: "/proc/meminfo",
  limits: "/proc/self/limits",
  status: "/proc/self/status",
};

/** Bit of CAP_IPC_LOCK in a set of capabilities: who has it may lock as much as he likes. */
const CAP_IPC_LOCK = 14n;

/**
 * Checks that the host can give the VM the kind of memory it is to have. QEMU would find out, too, but later and in other
 * words; and with too little memory to touch all at once, the host's OOM killer would.
 * @throws HuskError ERR_HOST_MEMORY, ERR_CONFIG_INVALID
 */
export function checkHostMemory(
  { config, memory, vfioDevices }: Pick<VmSpec, "config" | "memory" | "vfioDevices">,
  proc: MemoryFacts = PROC,
): void {
  const isLocked = config.realtime === true && config.mlock === true;
  if (config.mlock && !config.realtime) {
    const text = "hypervisorConfig.mlock: locks the VM's memory only together with realtime: true";
    throw new HuskError("ERR_CONFIG_INVALID", text);
  }
  if (config.hugePages) checkHugePages(memory, proc);
  // A device of the host reads and writes the guest's memory by itself, so the kernel pins all of it.
  const isPinned = isLocked || vfioDevices.length > 0;
  if (!config.hugePages && (config.memPrealloc || isPinned)) checkAvailable(memory, proc);
  if (isPinned) checkLockLimit(memory, proc);
}

/**
 * Checks the same for memory that a running VM is to get.
 * @param added MiB
 * @param total MiB with it
 * @throws HuskError ERR_HOST_MEMORY, ERR_CONFIG_INVALID
 */
export function checkAddedMemory(
  config: HypervisorConfig,
  added: number,
  total: number,
  proc: MemoryFacts = PROC,
): void {
  const isLocked = config.realtime === true && config.mlock === true;
  if (config.hugePages) checkHugePages(added, proc);
  else if (config.memPrealloc || isLocked) checkAvailable(added, proc);
  if (isLocked) checkLockLimit(total, proc);
}

/** A line of /proc/meminfo: a count, or KiB. */
function readMeminfo(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
}

function checkHugePages(memory: number, { meminfo }: MemoryFacts): void {
  const text = readFileSync(meminfo, "latin1");
  const pageMiB = readMeminfo(text, "Hugepagesize") / 1024;
  if (pageMiB === 0) {
    throw new HuskError("ERR_HOST_MEMORY", "hypervisorConfig.hugePages: the host's kernel has no huge pages");
  }
  if (memory % pageMiB !== 0) {
    const problem = `hypervisorConfig.hugePages: ${memory} MiB are no whole number of huge pages of ${pageMiB} MiB`;
    throw new HuskError("ERR_CONFIG_INVALID", problem);
  }
  const needed = memory / pageMiB;
  // What is reserved is promised to others who have not touched it yet.
  const free = readMeminfo(text, "HugePages_Free") - readMeminfo(text, "HugePages_Rsvd");
  if (free >= needed) return;
  const hint = `Reserve more on the host: sysctl vm.nr_hugepages (now ${readMeminfo(text, "HugePages_Total")}).`;
  const problem = `hypervisorConfig.hugePages: ${memory} MiB need ${needed} huge pages, and ${free} are free`;
  throw new HuskError("ERR_HOST_MEMORY", problem, { hint });
}

function checkAvailable(memory: number, { meminfo }: MemoryFacts): void {
  const available = Math.floor(readMeminfo(readFileSync(meminfo, "latin1"), "MemAvailable") / 1024);
  if (available >= memory) return;
  const text = `the VM is to get ${memory} MiB at once, and the host has ${available} MiB available`;
  throw new HuskError("ERR_HOST_MEMORY", text, {
    hint: "Give the pod less memory, or leave memPrealloc and mlock out.",
  });
}

function checkLockLimit(memory: number, { limits, status }: MemoryFacts): void {
  const capabilities = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync(status, "latin1"))?.[1] ?? "0";
  if ((BigInt(`0x${capabilities}`) >> CAP_IPC_LOCK) & 1n) return;
  const limit = /^Max locked memory\s+(\d+|unlimited)/m.exec(readFileSync(limits, "latin1"))?.[1];
  if (limit === "unlimited" || Number(limit) >= memory * 1024 * 1024) return;
  const text = `the VM's ${memory} MiB are to be locked (mlock, or a device of the host), and this process may lock ${limit} bytes`;
  throw new HuskError("ERR_HOST_MEMORY", text, {
    hint: "Raise RLIMIT_MEMLOCK (ulimit -l), which QEMU inherits, or leave out what locks.",
  });
}
