import { readlinkSync } from "node:fs";
import { HuskError } from "../errors/index.ts";
import { templatingOf } from "../hypervisor/types.ts";
import type { VmSize } from "../store/pod-record.ts";
import type { FactoryConfig, HypervisorConfig, PodConfig } from "../types/index.ts";
import { describeBlankVm, hypervisorFor, NO_UUID } from "./blank-vm.ts";
import { NO_TEMPLATES, templateObstacle } from "./build-template.ts";
import { templateKey } from "./template-store.ts";

/** What a VM is described with whose size does not matter: it is told beside the digest, as a VM can grow. */
const ANY_SIZE: VmSize = { vcpus: 1, memory: 256 };

/** Where VMs wait, and how they came to be. */
export interface CachePlace {
  /** state directory */
  readonly root: string;
  /** directory of caches */
  readonly cache: string;
  readonly factory: FactoryConfig;
}

/** Why a VM of a configuration cannot wait; undefined: it can. */
export function cacheObstacle(config: HypervisorConfig, { template }: FactoryConfig): string | undefined {
  if (config.hypervisorMachineType === "microvm") return "a microvm takes no devices while it runs";
  return template ? templateObstacle(config) : undefined;
}

/**
 * Digest of all that a waiting VM depends on, but for its size: QEMU's arguments, kernel, initramfs, QEMU, the agent and its
 * settings, the state directory, the caller's network namespace, and whether it shares memory with others as copies of a
 * template do.
 * @throws HuskError ERR_NOT_SUPPORTED, and as `Hypervisor.createPod`
 */
export async function cacheKey(config: PodConfig, { root, cache, factory }: CachePlace): Promise<string> {
  const { agentType = "hyperstart", agentConfig = {}, hypervisorConfig = {} } = config;
  const hypervisor = templatingOf(hypervisorFor(config));
  const problem = cacheObstacle(hypervisorConfig, factory);
  if (!hypervisor || problem)
    throw new HuskError("ERR_NOT_SUPPORTED", `such a VM cannot wait: ${problem ?? NO_TEMPLATES}`);
  const spec = describeBlankVm(config, { name: "waiting", uuid: NO_UUID, size: ANY_SIZE, cache });
  if (spec.ports.length === 0)
    throw new HuskError(
      "ERR_NOT_SUPPORTED",
      `such a VM cannot wait: its agent (${agentType}) has no port to be met by`,
    );
  await hypervisor.createPod(spec);
  const isShared = factory.template === true;
  // Networks that are no pod's own reach what the VM's process reaches.
  const netNS = readlinkSync("/proc/self/ns/net");
  const parts = ["waiting", hypervisor.templateIdentity(), agentType, agentConfig, root, isShared, netNS];
  return templateKey(JSON.stringify(parts));
}

/** What of a VM's size is right for who asks: from the least to the most. */
export interface SizeRange {
  readonly least: VmSize;
  readonly most: VmSize;
}

/** Sizes that a VM may have that is to become `wanted`: a smaller one only as far as it can grow. */
export function sizeRange(
  wanted: VmSize,
  { defaultMaxVCPUs = 0, memSlots = 0 }: HypervisorConfig,
): SizeRange {
  const least = {
    vcpus: defaultMaxVCPUs >= wanted.vcpus ? 1 : wanted.vcpus,
    memory: memSlots > 0 ? 1 : wanted.memory,
  };
  return { least, most: wanted };
}

/** Whether a VM's size is right for who asks. */
export function isInRange({ vcpus, memory }: VmSize, { least, most }: SizeRange): boolean {
  return vcpus >= least.vcpus && vcpus <= most.vcpus && memory >= least.memory && memory <= most.memory;
}
