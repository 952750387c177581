import { randomBytes } from "node:crypto";
import { type AgentSession, identityControlOf } from "../agent/types.ts";
import { HuskError } from "../errors/index.ts";
import { nicHotplugOf, type VmNetwork } from "../hypervisor/types.ts";
import type { StoragePlan } from "../storage/storage-plan.ts";
import { takenAddresses } from "../store/pod-record.ts";
import type { UndoStack } from "../undo-stack.ts";
import { setUpGuest } from "./boot.ts";
import { attachStorage } from "./container-storage.ts";
import { exchangePlaceholder } from "./exchange-placeholder.ts";
import { growVm } from "./grow-vm.ts";
import type { OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";

/** Random bytes that a VM is fed which was another's: twice what the kernel's generator holds. */
const RANDOM_BYTES = 64;

/**
 * Meets the agent of a VM that was another's and goes on just now, and gives the VM a clock and random numbers of its own.
 * @param options.atRest: nobody has spoken with this VM's agent
 * @returns the session with its agent
 * @throws HuskError ERR_VM_LOST, ERR_TIMEOUT, ERR_ABORTED, and as `needSession`
 */
export async function meetAnew(pod: OpenPod, options: { atRest?: boolean } = {}): Promise<AgentSession> {
  const { call } = pod;
  const session = await needSession(pod, options);
  call.mark("agent-met");
  await identityControlOf(session)?.renewIdentity(randomBytes(RANDOM_BYTES), call);
  call.mark("identity-renewed");
  return session;
}

/**
 * Gives a VM that runs what the pod has beside it: disks, processors, memory, networks; and sets the pod up in it.
 * @throws HuskError as `attachStorage`, `growVm` and `setUpGuest`, and for what cannot be plugged in
 */
export async function furnishVm(
  pod: OpenPod,
  session: AgentSession,
  plans: readonly StoragePlan[],
  network: VmNetwork | undefined,
  undo: UndoStack,
): Promise<void> {
  await exchangePlaceholder(pod, plans);
  for (const plan of plans) {
    const container = pod.record.containers[plan.containerId];
    const storage = await attachStorage(pod, plan, undo);
    if (container) container.storage = storage;
  }
  await growVm(pod, undo);
  await plugNetwork(pod, network);
  await setUpGuest(pod, session);
}

async function plugNetwork(pod: OpenPod, network: VmNetwork | undefined): Promise<void> {
  const { record, hypervisor, directory, call } = pod;
  for (const nic of network?.nics ?? []) {
    const joined = record.network?.endpoints.find(({ endpoint }) => endpoint.name === nic.name);
    const hotplug = nicHotplugOf(hypervisor);
    if (!joined || !hotplug)
      throw new HuskError("ERR_NOT_SUPPORTED", "the VM cannot take a network interface");
    const options = { ...call, netNSPath: network?.netNSPath };
    joined.addr = await hotplug.hotplugAddNic(nic, directory, takenAddresses(record), options);
    pod.save();
    call.mark("interface-plugged");
  }
}
