import type { QemuPlan } from "./command-line.ts";

/** Name of the object behind the guest's memory, when it is not QEMU's own default. */
const BACKEND = "ram0";

/** Whether another process has to see the guest's memory: a vhost-user device is served by one. */
export function needsSharedMemory({ shares, nics }: Pick<QemuPlan, "shares" | "nics">): boolean {
  return (
    shares.some(({ kind }) => kind === "virtiofs") ||
    nics.some(({ backend }) => backend.type === "vhost-user")
  );
}

/**
 * The object behind the guest's memory; undefined: QEMU's own default will do. Huge pages come by memfd, not from a file
 * on a hugetlbfs: nothing has to be mounted, and nothing is left when QEMU is killed. They are always preallocated, as
 * in the original: a page that cannot be had when the guest touches it would be its end.
 */
function memoryBackend({ config, memory, sharedMemory }: QemuPlan) {
  const prealloc = config.hugePages || config.memPrealloc ? { prealloc: true } : {};
  const common = { id: BACKEND, size: memory * 1024 * 1024, ...prealloc };
  if (config.hugePages)
    return { "qom-type": "memory-backend-memfd", ...common, hugetlb: true, share: sharedMemory };
  if (sharedMemory) return { "qom-type": "memory-backend-memfd", ...common, share: true };
  return config.memPrealloc ? { "qom-type": "memory-backend-ram", ...common } : undefined;
}

/** What `-machine` has to say of the memory. */
export function memoryMachineOptions(plan: QemuPlan): string[] {
  return memoryBackend(plan) ? [`memory-backend=${BACKEND}`] : [];
}

/** The guest's memory: how much, of what kind, and whether the host may swap it out. */
export function memoryArguments(plan: QemuPlan): string[] {
  const { config, memory } = plan;
  const backend = memoryBackend(plan);
  return [
    ...["-m", `${memory}M`],
    ...(backend ? ["-object", JSON.stringify(backend)] : []),
    ...(config.realtime ? ["-overcommit", `mem-lock=${config.mlock ? "on" : "off"}`] : []),
  ];
}
