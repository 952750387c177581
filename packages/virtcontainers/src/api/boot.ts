import { createAgent } from "../agent/index.ts";
import type { AgentOptions, AgentSession } from "../agent/types.ts";
import { isHuskError } from "../errors/index.ts";
import { blankParams } from "../factory/blank-vm.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import type { Hypervisor, VmNetwork, VmSpec, VmTemplate } from "../hypervisor/types.ts";
import type { GuestInterface } from "../network/types.ts";
import { drivesFor } from "../storage/drives.ts";
import { findPodShare, POD_SHARE_TAG, serveShares, sharesOf } from "../storage/shares.ts";
import { bindsOf, disksOf, planStorage, type StoragePlan, storageOf } from "../storage/storage-plan.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { PodRecord } from "../store/pod-record.ts";
import type { FactoryConfig } from "../types/index.ts";
import type { Call } from "./call.ts";
import { bindContainers } from "./container-storage.ts";
import { hostDevicesOf } from "./host-devices.ts";
import type { OpenPod } from "./open-pod.ts";
import { findTemplate } from "./pod-template.ts";
import { openSession } from "./session.ts";
import { baseSizeOf, vmSizeOf } from "./vm-size.ts";

/** A VM that is about to be started. */
export interface PreparedVm {
  readonly plans: readonly StoragePlan[];
  /** it begins as a copy of this one, and is connected by `adoptClone`; undefined: it boots */
  readonly template: VmTemplate | undefined;
}

/**
 * Prepares the disks and shares of all containers and describes the VM to the hypervisor. Nothing is started yet.
 * @throws HuskError as `planPod` and `describePod`
 */
export async function prepareVm(
  record: PodRecord,
  hypervisor: Hypervisor,
  call: Call,
  factory?: FactoryConfig | undefined,
): Promise<PreparedVm> {
  const plans = await planPod(record, hypervisor, call);
  return { plans, template: await describePod(record, hypervisor, call, factory) };
}

/** Prepares the disks and shares of all containers of a pod. @throws HuskError as `planStorage` */
export async function planPod(
  record: PodRecord,
  hypervisor: Hypervisor,
  call: Call,
): Promise<readonly StoragePlan[]> {
  const { config } = record;
  const plans: StoragePlan[] = [];
  for (const container of config.containers ?? []) plans.push(await planStorage(container, config, call));
  record.drives = drivesFor(plans.flatMap(disksOf));
  const taken: string[] = [];
  for (const drive of record.drives) {
    const addr = hypervisor.coldPlugAddress(taken);
    if (addr === undefined) break;
    drive.addr = addr;
    taken.push(addr);
  }
  record.shares = sharesOf(
    config,
    plans.some((plan) => bindsOf(plan).length > 0),
  );
  record.hostDevices = hostDevicesOf(plans);
  for (const plan of plans) {
    const container = record.containers[plan.containerId];
    if (container) container.storage = storageOf(plan, record.drives);
  }
  call.mark("rootfs");
  return plans;
}

/**
 * Describes the VM of a pod that was planned to the hypervisor.
 * @returns what it begins as a copy of; undefined: it boots
 * @throws HuskError as `Hypervisor.createPod`, and what finding a template throws
 */
export async function describePod(
  record: PodRecord,
  hypervisor: Hypervisor,
  call: Call,
  factory: FactoryConfig | undefined,
): Promise<VmTemplate | undefined> {
  const template = factory?.template ? await findTemplate(record, hypervisor, factory, call) : undefined;
  await hypervisor.createPod(describeVm(record, call.cache, template));
  return template;
}

/**
 * Starts the VM's process, and before it what serves its shares. Who undoes this ends both.
 * @throws HuskError as `serveShares` and `Hypervisor.startPod`
 */
export async function startVm(
  record: PodRecord,
  hypervisor: Hypervisor,
  directory: PodDirectory,
  call: Call,
  network: VmNetwork | undefined,
  isClone = false,
): Promise<void> {
  const shares = await serveShares(record, directory);
  try {
    record.vm = await hypervisor.startPod(directory, {
      ...call,
      shares,
      network: isClone && network ? { ...network, nics: [] } : network,
    });
    record.vmSize = isClone ? baseSizeOf(record.config) : vmSizeOf(record.config);
    const timeoutMs = deadlineMs("shareBind", hypervisor.deadlineFactor);
    await shares.ready({ timeoutMs, signal: call.signal });
  } finally {
    shares.close();
  }
}

function describeVm(record: PodRecord, cache: string, template: VmTemplate | undefined): VmSpec {
  const { config } = record;
  const { hypervisorConfig = {} } = config;
  const { ports, kernelParams: agentParams } = createAgent(config);
  const kernelParams = template ? blankParams(config) : agentParams;
  return {
    podId: config.id,
    uuid: record.uuid,
    ...(template ? baseSizeOf(config) : vmSizeOf(config)),
    template,
    isBlank: template !== undefined,
    // The user's own words come last and win.
    config: {
      ...hypervisorConfig,
      kernelParams: [...kernelParams, ...(hypervisorConfig.kernelParams ?? [])],
    },
    ports,
    drives: record.drives,
    shares: record.shares,
    vfioDevices: (record.hostDevices ?? []).map(({ device }) => device),
    cache,
  };
}

/**
 * Waits for the VM that has just been started, binds meanwhile what its containers share, and sets the pod up in it.
 * @throws HuskError ERR_QEMU_START, ERR_BOOT_TIMEOUT, ERR_VM_LOST, ERR_AGENT_REFUSED, ERR_AGENT_PROTOCOL, ERR_ABORTED, and
 *   as `bindContainer`
 */
export async function connectVm(pod: OpenPod, plans: readonly StoragePlan[]): Promise<void> {
  const { hypervisor, directory, call } = pod;
  const [waited, opened, bound] = await Promise.allSettled([
    hypervisor.waitPod(directory, call),
    openSession(pod, { fresh: true }),
    bindContainers(pod, plans),
  ]);
  // When QEMU did not even start, that is why neither the agent nor the shares are there.
  if (waited.status === "rejected" && !isHuskError(waited.reason, "ERR_ABORTED")) throw waited.reason;
  if (bound.status === "rejected") throw bound.reason;
  if (opened.status === "rejected") throw opened.reason;
  if (waited.status === "rejected") throw waited.reason;
  if (opened.value) await setUpGuest(pod, opened.value);
}

/** Filters come before interfaces, so that nothing reaches the pod before it may. */
export async function setUpGuest({ id, record, call }: OpenPod, session: AgentSession): Promise<void> {
  const { config, network } = record;
  const { portmappingWhiteLists } = config.networkConfig ?? {};
  const interfaces = network?.endpoints.map(({ endpoint }) => endpoint) ?? [];
  await session.startPod(
    {
      podId: id,
      hostname: config.hostname || id,
      shares: record.shares,
      addresses: interfaces.flatMap(({ addresses }) => addresses.map(({ address }) => address)),
      ...(findPodShare(record) ? { shareDir: POD_SHARE_TAG } : {}),
      ...(network?.dns ? { dns: network.dns } : {}),
      ...(portmappingWhiteLists ? { portmappingWhiteLists } : {}),
    },
    call,
  );
  call.mark("pod-started");
  if (interfaces.length === 0) return;
  await setUpInterfaces(session, interfaces, interfaces, call);
  call.mark("network-ready");
}

/**
 * Gives the guest network interfaces, of all that it then has.
 * @throws HuskError ERR_AGENT_REFUSED with what the guest's kernel says
 */
export async function setUpInterfaces(
  session: AgentSession,
  interfaces: readonly GuestInterface[],
  all: readonly GuestInterface[],
  { signal }: AgentOptions,
): Promise<void> {
  for (const one of interfaces) await session.setupInterface(one, { signal });
  if (interfaces.some(({ routes }) => routes.length > 0))
    await session.setupRoutes(interfaces, all, { signal });
}
