import { totalmem } from "node:os";
import type { QmpMemoryBackend } from "@husk/wire/qmp";
import type { HypervisorConfig } from "../../types/index.ts";
import type { QemuPlan } from "./command-line.ts";

const MIB = 1024 * 1024;
/** Name of the object behind the guest's memory, when it is not QEMU's own default. */
const BACKEND = "ram0";

/** Whether another process has to see the guest's memory: a vhost-user device is served by one. */
export function needsSharedMemory({ shares, nics }: Pick<QemuPlan, "shares" | "nics">): boolean {
  return (
    shares.some(({ kind }) => kind === "virtiofs") ||
    nics.some(({ backend }) => backend.type === "vhost-user")
  );
}

/** Size in MiB of the blocks that a guest takes memory into use by; what is plugged in must be a multiple of it. */
const MEMORY_BLOCK_MIB = 128;

/** Size of memory that is plugged in so that there are `more` MiB at least. */
export function toBlocks(more: number): number {
  return Math.ceil(more / MEMORY_BLOCK_MIB) * MEMORY_BLOCK_MIB;
}

/**
 * What all memory that a guest may ever have amounts to, in MiB: that of the host, or a block for each of the slots if
 * that is more. It costs the same whatever it is.
 */
export function maxMemoryOf(memory: number, { memSlots = 0 }: HypervisorConfig): number {
  if (memSlots === 0) return memory;
  const host = Math.floor(totalmem() / MIB);
  // A block more, as what comes is rounded up to whole ones.
  return MEMORY_BLOCK_MIB + Math.max(host, memory + memSlots * MEMORY_BLOCK_MIB);
}

/** What memory is made of that is plugged into a VM; `share`: as that VM's own. */
export function pluggedBackend(
  id: string,
  mib: number,
  config: HypervisorConfig,
  share: boolean,
): QmpMemoryBackend {
  const backend = memoryBackend(id, mib, config, share);
  return backend ?? { "qom-type": "memory-backend-ram", id, size: mib * MIB };
}

/**
 * The object behind the guest's memory; undefined: QEMU's own default will do. Huge pages come by memfd, not from a file
 * on a hugetlbfs: nothing has to be mounted, and nothing is left when QEMU is killed. They are always preallocated, as
 * in the original: a page that cannot be had when the guest touches it would be its end.
 */
function memoryBackend(
  id: string,
  mib: number,
  config: HypervisorConfig,
  share: boolean,
): QmpMemoryBackend | undefined {
  const prealloc = config.hugePages || config.memPrealloc ? { prealloc: true } : {};
  const common = { id, size: mib * MIB, ...prealloc };
  if (config.hugePages) return { "qom-type": "memory-backend-memfd", ...common, hugetlb: true, share };
  if (share) return { "qom-type": "memory-backend-memfd", ...common, share: true };
  return config.memPrealloc ? { "qom-type": "memory-backend-ram", ...common } : undefined;
}

/** A template's memory is written to its file; what a clone writes stays its own. */
function backendOf({ config, memory, sharedMemory, template }: QemuPlan): QmpMemoryBackend | undefined {
  if (template) {
    const { memoryPath, role } = template;
    const file = { "qom-type": "memory-backend-file", "mem-path": memoryPath } as const;
    return { ...file, id: BACKEND, size: memory * MIB, share: role === "source" };
  }
  return memoryBackend(BACKEND, memory, config, sharedMemory);
}

/** What `-machine` has to say of the memory. */
export function memoryMachineOptions(plan: QemuPlan): string[] {
  return backendOf(plan) ? [`memory-backend=${BACKEND}`] : [];
}

/** The guest's memory: how much, of what kind, and whether the host may swap it out. */
export function memoryArguments(plan: QemuPlan): string[] {
  const { config, memory, maxMemory } = plan;
  const backend = backendOf(plan);
  return [
    ...[
      "-m",
      [`${memory}M`, ...(config.memSlots ? [`slots=${config.memSlots}`, `maxmem=${maxMemory}M`] : [])].join(
        ",",
      ),
    ],
    ...(backend ? ["-object", JSON.stringify(backend)] : []),
    ...(config.realtime ? ["-overcommit", `mem-lock=${config.mlock ? "on" : "off"}`] : []),
  ];
}
