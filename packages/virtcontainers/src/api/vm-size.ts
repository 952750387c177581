import { availableParallelism, totalmem } from "node:os";
import type { VmSize } from "../store/pod-record.ts";
import type { ContainerConfig, PodConfig } from "../types/index.ts";
import { resourcesOf } from "./container-resources.ts";

const DEFAULT_VCPUS = 1;
const DEFAULT_MEMORY_MIB = 256;
const DEFAULT_PERIOD_US = 100_000;
const MIB = 1024 * 1024;

/**
 * What a pod's VM is to have: what the configuration says, for the guest itself and for containers without limits, and
 * beside it what its other containers may use. At most `defaultMaxVCPUs`, which defaults to the host's CPUs, and the host's
 * memory; but never less than what the configuration says.
 */
export function vmSizeOf(config: PodConfig): VmSize {
  const { hypervisorConfig = {}, containers = [] } = config;
  const { vcpus, memory } = baseSizeOf(config);
  const milliCpus = containers.reduce((sum, container) => sum + milliCpusOf(container), 0);
  const limits = containers.reduce((sum, container) => sum + memoryOf(container), 0);
  const maxVcpus = hypervisorConfig.defaultMaxVCPUs ?? availableParallelism();
  const maxMemory = Math.floor(totalmem() / MIB);
  return {
    vcpus: Math.max(vcpus, Math.min(vcpus + Math.ceil(milliCpus / 1000), maxVcpus)),
    memory: Math.max(memory, Math.min(memory + Math.ceil(limits / MIB), maxMemory)),
  };
}

/** What a pod's VM has without what its containers may use. */
export function baseSizeOf({ vmConfig = {}, hypervisorConfig = {} }: PodConfig): VmSize {
  return {
    vcpus: vmConfig.vcpus ?? hypervisorConfig.defaultVCPUs ?? DEFAULT_VCPUS,
    memory: vmConfig.memory ?? hypervisorConfig.defaultMemSz ?? DEFAULT_MEMORY_MIB,
  };
}

/** Thousandths of a processor that a container may use; 0: as much as there is. */
function milliCpusOf(container: ContainerConfig): number {
  const { quota = -1, period = DEFAULT_PERIOD_US } = resourcesOf(container).cpu ?? {};
  return quota > 0 ? Math.floor((quota * 1000) / period) : 0;
}

/** Bytes of memory that a container may use; 0: as much as there is. */
function memoryOf(container: ContainerConfig): number {
  return Math.max(resourcesOf(container).memory?.limit ?? 0, 0);
}
