import { createAgent } from "../agent/index.ts";
import { isHuskError } from "../errors/index.ts";
import type { Hypervisor, VmSpec } from "../hypervisor/types.ts";
import { drivesFor, findDrive } from "../storage/drives.ts";
import { prepareRootfs, type RootfsImage } from "../storage/rootfs.ts";
import type { PodRecord } from "../store/pod-record.ts";
import type { PodConfig } from "../types/index.ts";
import type { Call } from "./call.ts";
import type { OpenPod } from "./open-pod.ts";
import { openSession } from "./session.ts";

const DEFAULT_VCPUS = 1;
const DEFAULT_MEMORY_MIB = 256;

/**
 * Prepares the disks of all containers and describes the VM to the hypervisor. Nothing is started yet.
 * @throws HuskError as `prepareRootfs` and `Hypervisor.createPod`
 */
export async function prepareVm(record: PodRecord, hypervisor: Hypervisor, call: Call): Promise<void> {
  const { config } = record;
  const images = new Map<string, RootfsImage>();
  for (const { id, rootFs } of config.containers ?? []) images.set(id, await prepareRootfs(rootFs, call));
  record.drives = drivesFor([...images.values()]);
  const taken: string[] = [];
  for (const drive of record.drives) {
    const addr = hypervisor.coldPlugAddress(taken);
    if (addr === undefined) break;
    drive.addr = addr;
    taken.push(addr);
  }
  for (const [id, image] of images) {
    const container = record.containers[id];
    const drive = findDrive(record.drives, image);
    if (container && drive) container.drive = drive.id;
  }
  call.mark("rootfs");
  await hypervisor.createPod(describeVm(record, config, call.cache));
}

function describeVm(record: PodRecord, config: PodConfig, cache: string): VmSpec {
  const { vmConfig = {}, hypervisorConfig = {} } = config;
  return {
    podId: config.id,
    uuid: record.uuid,
    vcpus: vmConfig.vcpus ?? hypervisorConfig.defaultVCPUs ?? DEFAULT_VCPUS,
    memory: vmConfig.memory ?? hypervisorConfig.defaultMemSz ?? DEFAULT_MEMORY_MIB,
    config: hypervisorConfig,
    ports: createAgent(config.agentType ?? "hyperstart").ports,
    drives: record.drives,
    shares: [],
    vfioDevices: [],
    cache,
  };
}

/**
 * Waits for the VM that has just been started, and sets the pod up in it.
 * @throws HuskError ERR_QEMU_START, ERR_BOOT_TIMEOUT, ERR_VM_LOST, ERR_AGENT_REFUSED, ERR_AGENT_PROTOCOL, ERR_ABORTED
 */
export async function connectVm(pod: OpenPod): Promise<void> {
  const { hypervisor, directory, call } = pod;
  const [waited, opened] = await Promise.allSettled([
    hypervisor.waitPod(directory, call),
    openSession(pod, { fresh: true }),
  ]);
  // When QEMU did not even start, that is why the agent is not there.
  if (waited.status === "rejected" && !isHuskError(waited.reason, "ERR_ABORTED")) throw waited.reason;
  if (opened.status === "rejected") throw opened.reason;
  if (waited.status === "rejected") throw waited.reason;
  const hostname = pod.record.config.hostname || pod.id;
  await opened.value?.startPod(hostname, { signal: call.signal });
  call.mark("pod-started");
}
