import { resourceControlOf } from "../agent/types.ts";
import { HuskError, isHuskError } from "../errors/index.ts";
import { type ResourceHotplug, resourceHotplugOf } from "../hypervisor/types.ts";
import type { VmSize } from "../store/pod-record.ts";
import type { UndoStack } from "../undo-stack.ts";
import type { OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";
import { vmSizeOf } from "./vm-size.ts";

/**
 * Gives a running VM the processors and the memory that its pod's configuration now asks for, as far as it has room for them:
 * what it has no room for is a warning. It never shrinks: that comes with its next start.
 * @throws HuskError ERR_HOST_MEMORY, ERR_NOT_SUPPORTED, ERR_QMP, ERR_AGENT_REFUSED, ERR_TIMEOUT, ERR_ABORTED
 */
export async function growVm(pod: OpenPod, undo: UndoStack): Promise<void> {
  const { record, hypervisor, call } = pod;
  const wanted = vmSizeOf(record.config);
  const before = record.vmSize ?? wanted;
  if (wanted.vcpus <= before.vcpus && wanted.memory <= before.memory) return;
  const hotplug = resourceHotplugOf(hypervisor);
  if (!hotplug) {
    const problem = "its machine takes neither processors nor memory while it runs";
    return call.warn(cannotGrow(pod, wanted, before, problem));
  }
  pod.announceChange();
  undo.push(() => shrinkAgain(pod, hotplug, before));
  const vcpus = await plug(pod, hotplug, wanted, before);
  await takeIntoUse(pod, vcpus);
}

/** Plugs in what is wanted. @returns how many processors came */
async function plug(pod: OpenPod, hotplug: ResourceHotplug, wanted: VmSize, before: VmSize): Promise<number> {
  const { record, directory, call } = pod;
  const size = { ...before };
  record.vmSize = size;
  try {
    if (wanted.vcpus > size.vcpus) size.vcpus = await hotplug.hotplugVcpus(wanted.vcpus, directory, call);
  } catch (error) {
    warnOfRoom(pod, error, wanted, before);
  }
  try {
    if (wanted.memory > size.memory)
      size.memory = await hotplug.hotplugMemory(wanted.memory, directory, call);
  } catch (error) {
    warnOfRoom(pod, error, wanted, before);
  }
  call.mark("vm-grown");
  return size.vcpus - before.vcpus;
}

function warnOfRoom(pod: OpenPod, error: unknown, wanted: VmSize, before: VmSize): void {
  if (!isHuskError(error, "ERR_NO_DEVICE_SLOT")) throw error;
  pod.call.warn(cannotGrow(pod, wanted, before, error.message, error));
}

function cannotGrow(pod: OpenPod, wanted: VmSize, before: VmSize, why: string, cause?: HuskError): HuskError {
  const has = `the VM of pod "${pod.id}" has ${describe(before)}`;
  const text = `${has}, and cannot grow to ${describe(wanted)}, which its containers may use: ${why}`;
  return new HuskError("ERR_NO_DEVICE_SLOT", text, { hint: cause?.hint, cause, podId: pod.id });
}

function describe({ vcpus, memory }: VmSize): string {
  return `${vcpus} vCPUs, ${memory} MiB`;
}

/** Lets the guest use what was plugged in. */
async function takeIntoUse(pod: OpenPod, vcpus: number): Promise<void> {
  const control = resourceControlOf(await needSession(pod));
  if (!control) {
    throw new HuskError("ERR_NOT_SUPPORTED", "the pod's agent cannot take processors and memory into use", {
      podId: pod.id,
    });
  }
  await control.onlineCPUMem(vcpus, false, { signal: pod.call.signal });
  pod.call.mark("resources-online");
}

/** Memory stays, and processors that the guest does not give back; they are told as they are. */
async function shrinkAgain(pod: OpenPod, hotplug: ResourceHotplug, before: VmSize): Promise<void> {
  const { record, directory } = pod;
  await hotplug.hotplugRemoveVcpus(before.vcpus, directory, {}).catch(() => {});
  record.vmSize = await querySize(pod, hotplug);
  pod.save();
}

/** What the VM has now: nothing is plugged in when nothing is missing. */
async function querySize({ directory }: OpenPod, hotplug: ResourceHotplug): Promise<VmSize> {
  const vcpus = await hotplug.hotplugVcpus(0, directory, {});
  return { vcpus, memory: await hotplug.hotplugMemory(0, directory, {}) };
}

/** Finds out what a caller that died has plugged in, and lets the guest use it. */
export async function noteSize(pod: OpenPod): Promise<void> {
  const { record, hypervisor } = pod;
  const hotplug = resourceHotplugOf(hypervisor);
  if (!hotplug || !record.vmSize) return;
  const size = await querySize(pod, hotplug);
  const came = size.vcpus - record.vmSize.vcpus;
  if (came === 0 && size.memory === record.vmSize.memory) return;
  record.vmSize = size;
  await takeIntoUse(pod, Math.max(came, 0));
}
