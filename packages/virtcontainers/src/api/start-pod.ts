import { checkFactoryConfig } from "../config/factory-schema.ts";
import { checkResidentPrograms } from "../config/resident-programs.ts";
import { anySignal } from "../deadline.ts";
import { type ErrorCode, HuskError } from "../errors/index.ts";
import { releaseNetwork } from "../network/release.ts";
import { checkNetworkConfig, joinNetworks, prepareNamespace } from "../network/set-up.ts";
import { checkState } from "../state-machine.ts";
import { endShares } from "../storage/shares.ts";
import type { CallOptions, CreateOptions, FactoryConfig, VCPod } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { connectVm, prepareVm, startVm } from "./boot.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { needPreparation } from "./container-preparation.ts";
import { podHandle } from "./handles.ts";
import { networkOptions } from "./network-options.ts";
import type { OpenPod } from "./open-pod.ts";
import { runDuePostStopHooks, runPostStartHooks, runPreStartHooks } from "./pod-hooks.ts";
import { adoptClone } from "./pod-template.ts";
import { endResidents, residentsOf, startResidents } from "./residents.ts";
import { needSession } from "./session.ts";
import { carrierOfFirst } from "./shim-of-container.ts";
import { vmSizeOf } from "./vm-size.ts";
import { warnOfRestart } from "./vm-source.ts";

const SIGKILL = 9;

/**
 * Starts a pod and all its containers. One that was stopped gets a fresh VM, which comes from `factory` or boots, and its
 * containers begin anew. Go: `StartPod`.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_STATE_INVALID, ERR_AGENT_REFUSED, ERR_VM_LOST, and as `createPod` for a VM
 */
export async function startPod(
  podId: string,
  options: CallOptions & Pick<CreateOptions, "factory"> = {},
): Promise<VCPod> {
  const { factory } = options;
  if (factory) checkFactoryConfig(factory);
  const started = await changePod(podId, new Call(options, ["factory"]), async (pod) => {
    checkState({ podId }, pod.state, ["ready", "stopped"], "to be started");
    if (pod.state === "stopped") await runDuePostStopHooks(pod);
    await using undo = new UndoStack();
    pod.keepForUndo(undo);
    pod.announceChange();
    if (pod.state === "stopped") await makeVmAgain(pod, undo, factory);
    await startContainers(pod, undo);
    pod.save();
    undo.commit();
    return pod;
  });
  await runPostStartHooks(started);
  started.live.phases.push(...started.call.timings.phases());
  return podHandle(started);
}

async function makeVmAgain(pod: OpenPod, undo: UndoStack, factory: FactoryConfig | undefined): Promise<void> {
  const { hypervisor, record, directory, call } = pod;
  for (const { id } of pod.containers) record.containers[id] = { state: "ready" };
  await endShares(record, directory);
  await endResidents(residentsOf(pod));
  checkResidentPrograms(record.config);
  await releaseNetwork(record, networkOptions(pod));
  warnOfRestart(record.config, factory, call);
  const { plans, template } = await prepareVm(record, hypervisor, call, factory);
  const isClone = template !== undefined;
  await checkNetworkConfig(record);
  undo.push(() => releaseNetwork(record, networkOptions(pod)));
  await prepareNamespace(record, networkOptions(pod));
  await runPreStartHooks(pod, undo);
  const network = await joinNetworks(record, vmSizeOf(record.config).vcpus, networkOptions(pod));
  if (network) call.mark("network-joined");
  undo.push(async () => {
    pod.live.session?.close();
    await hypervisor.stopPod(directory);
    await endShares(record, directory);
    directory.removeSockets();
  });
  directory.keepSocketDirectory();
  await startVm(record, hypervisor, directory, call, network, isClone);
  record.state = "ready";
  await startResidents(residentsOf(pod), call, undo, isClone);
  await (isClone ? adoptClone(pod, plans, network, undo) : connectVm(pod, plans));
}

/** Starts all containers of a pod that is ready, in order, but for those that run already. When one fails, those started before are ended. */
export async function startContainers(pod: OpenPod, undo: UndoStack): Promise<void> {
  for (const { id } of pod.containers) {
    if (pod.container(id).record.state !== "running") await startOne(pod, id, undo);
  }
  pod.record.state = "running";
}

/**
 * Starts one container.
 * @throws HuskError ERR_AGENT_REFUSED, ERR_VM_LOST, ERR_TIMEOUT, ERR_ABORTED
 */
export async function startOne(pod: OpenPod, containerId: string, undo: UndoStack): Promise<void> {
  const { config, record } = pod.container(containerId);
  if (record.prepared) return beginOne(pod, containerId, undo);
  const { storage } = record;
  if (!storage) throw new Error(`container ${containerId} has nothing to start from`);
  const io = pod.live.takeProcess(containerId, config.cmd.interactive === true);
  // Before the start, so that no end can come before it.
  record.startTime = new Date().toISOString();
  delete record.ownShim;
  undo.push(() => endStarted(pod, containerId));
  const { carrier, failed, begin } = carrierOfFirst(pod, containerId, io, undo);
  try {
    const session = await needSession(pod);
    const { dns } = pod.record.network ?? {};
    const signal = anySignal(pod.call.signal, failed);
    await session.startContainer({ config, storage, dns }, carrier, { signal });
    await begin();
  } catch (error) {
    const cause = failed.aborted ? failed.reason : error;
    const told = toContainerError(cause, pod.id, containerId);
    io.fail(told);
    throw told;
  }
  pod.call.mark(`container-started`);
  delete record.exitCode;
  record.state = "running";
}

/** Lets a container begin that is prepared. */
async function beginOne(pod: OpenPod, containerId: string, undo: UndoStack): Promise<void> {
  const { record } = pod.container(containerId);
  const preparation = await needPreparation(pod);
  record.startTime = new Date().toISOString();
  record.prepared = "unsettled";
  pod.announceChange();
  undo.push(() => endStarted(pod, containerId));
  try {
    await preparation.beginContainer(containerId, { signal: pod.call.signal });
  } catch (error) {
    throw toContainerError(error, pod.id, containerId);
  }
  pod.call.mark("container-started");
  delete record.prepared;
  record.state = "running";
}

/** Ends a container whose start is to be undone. Its waiters are told by its end. */
export async function endStarted(pod: OpenPod, containerId: string): Promise<void> {
  try {
    const { session } = pod.live;
    if (!session || session.closed) throw new Error("nobody can be told to end it");
    await session.killContainer(containerId, SIGKILL, {});
  } catch {
    pod.leaveUnsettled();
  }
}

/** Errors that are about the container, and not about the way to it. */
const REFUSALS: readonly ErrorCode[] = [
  "ERR_AGENT_REFUSED",
  "ERR_PROGRAM_NOT_EXECUTABLE",
  "ERR_PROGRAM_NOT_FOUND",
];

export function toContainerError(error: unknown, podId: string, containerId: string): HuskError {
  if (!(error instanceof HuskError))
    return new HuskError("ERR_AGENT_DISCONNECTED", String(error), { cause: error, podId });
  if (error.containerId !== undefined || !REFUSALS.includes(error.code)) return error;
  const text = `container "${containerId}" cannot be started: ${error.message}`;
  return new HuskError(error.code, text, { cause: error, podId, containerId });
}
