import { createAgent } from "../agent/index.ts";
import type { AgentSession } from "../agent/types.ts";
import { HuskError } from "../errors/index.ts";
import { createHypervisor } from "../hypervisor/index.ts";
import type { Hypervisor, VmSpec, VmTemplate, WaitOptions } from "../hypervisor/types.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { VmSize } from "../store/pod-record.ts";
import type { Param, PodConfig } from "../types/index.ts";

/** Word by which the agent knows that its VM is to become another one later: disks that it is given then are not to be looked at yet. */
const BLANK_PARAM: Param = { key: "HUSK_TEMPLATE", value: "1" };
/** Id of the disk whose place the first disk of a pod takes. */
export const PLACEHOLDER_ID = "drive0";
/** uuid of a VM that is only described. */
export const NO_UUID = "00000000-0000-0000-0000-000000000000";

/** What a VM that is no pod's yet is made of. */
export interface BlankVm {
  /** its name on the command line of the hypervisor */
  readonly name: string;
  readonly uuid: string;
  readonly size: VmSize;
  /** directory of caches */
  readonly cache: string;
  /** an empty disk; missing: it has none */
  readonly placeholder?: string | undefined;
  readonly template?: VmTemplate | undefined;
}

/** The words that the kernel of a VM is given that is no pod's yet. */
export function blankParams(config: PodConfig): Param[] {
  return [...createAgent(config).kernelParams, BLANK_PARAM];
}

/** The VM of a configuration, before it is any pod's: what templates and caches are made of. */
export function describeBlankVm(config: PodConfig, blank: BlankVm): VmSpec {
  const { hypervisorConfig = {} } = config;
  const { name, uuid, size, cache, placeholder, template } = blank;
  const kernelParams = [...blankParams(config), ...(hypervisorConfig.kernelParams ?? [])];
  const hasPlace = placeholder !== undefined && hypervisorConfig.blockDeviceDriver !== "virtio-scsi";
  return {
    podId: name,
    uuid,
    ...size,
    config: { ...hypervisorConfig, kernelParams },
    ports: createAgent(config).ports,
    drives: hasPlace ? [{ id: PLACEHOLDER_ID, imagePath: placeholder }] : [],
    shares: [],
    vfioDevices: [],
    cache,
    isBlank: true,
    template,
  };
}

/** The hypervisor of a configuration. */
export function hypervisorFor({ hypervisorType = "qemu", hypervisorConfig = {} }: PodConfig): Hypervisor {
  return createHypervisor(hypervisorType, hypervisorConfig);
}

/** A VM whose agent is to be met. */
export interface MeetingPlace {
  readonly config: PodConfig;
  readonly hypervisor: Hypervisor;
  readonly directory: PodDirectory;
  /** nobody has met it before */
  readonly fresh: boolean;
}

/**
 * Waits until the agent of a VM serves, and lets go of it again.
 * @param act what is done with it before
 * @throws HuskError as `Hypervisor.waitPod` and `Agent.open`
 */
export async function meetAgent(
  { config, hypervisor, directory, fresh }: MeetingPlace,
  options: WaitOptions,
  act?: (session: AgentSession) => Promise<void>,
): Promise<void> {
  const opening = createAgent(config).open({
    directory,
    deadlineFactor: hypervisor.deadlineFactor,
    fresh,
    signal: options.signal,
    events: { onExit: () => {}, onClosed: () => {} },
    runningContainers: () => [],
    describeLoss: async () => new HuskError("ERR_VM_LOST", "the VM has ended before it was any pod's"),
  });
  const waiting = fresh ? hypervisor.waitPod(directory, options) : undefined;
  const [waited, opened] = await Promise.allSettled([waiting, opening]);
  const session = opened.status === "fulfilled" ? opened.value : undefined;
  try {
    // When QEMU did not even start, that is why the agent is not there.
    if (waited.status === "rejected") throw waited.reason;
    if (opened.status === "rejected") throw opened.reason;
    if (session) await act?.(session);
  } finally {
    session?.close();
  }
}
