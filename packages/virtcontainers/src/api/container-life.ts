import { createAgent } from "../agent/index.ts";
import { withAbsoluteRootFs } from "../config/absolute-paths.ts";
import { checkSpecsSupported } from "../config/oci-schema.ts";
import { checkConsoleSupported } from "../config/resident-programs.ts";
import { checkLimitsSupported } from "../config/resources-schema.ts";
import { checkContainerConfig } from "../config/schema.ts";
import { withDeadline } from "../deadline.ts";
import { HuskError, isHuskError } from "../errors/index.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import { waitForShim } from "../shim/tell-shim.ts";
import { checkMove, checkState } from "../state-machine.ts";
import { releaseBinds } from "../storage/share-namespace.ts";
import { planStorage } from "../storage/storage-plan.ts";
import type { CallOptions, ContainerConfig, StartOptions, VCContainer, VCPod } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { goOn } from "./container-pause.ts";
import { attachStorage } from "./container-storage.ts";
import { growVm } from "./grow-vm.ts";
import { containerHandle, podHandle } from "./handles.ts";
import { unplugUnusedHostDevices } from "./host-devices.ts";
import { markStopped } from "./mark-stopped.ts";
import type { OpenPod } from "./open-pod.ts";
import { endOrphan } from "./repair-shims.ts";
import { needSession } from "./session.ts";
import { noteShimExits } from "./shim-exits.ts";
import { forgetShim } from "./shim-of-container.ts";
import { startOne } from "./start-pod.ts";
import { unplugUnusedDrives } from "./unplug-drives.ts";
import { withContainer } from "./with-container.ts";

const SIGKILL = 9;
const SIGTERM = 15;

/** What `createContainer` returns. */
export interface CreatedContainer {
  readonly pod: VCPod;
  readonly container: VCContainer;
}

/**
 * Creates a container in a pod. When the pod has a VM, the disks that the container needs are plugged in, unless they are
 * there already, what it shares with the host is bound into the pod's share, and the VM grows by what the container may use.
 * Go: `CreateContainer`.
 * @throws HuskError ERR_CONTAINER_EXISTS, ERR_STATE_INVALID, ERR_ROOTFS_MISSING, ERR_MOUNT_SOURCE_MISSING,
 *   ERR_DEVICE_MISSING, ERR_NOT_SUPPORTED (the machine cannot hot-plug, the pod has no share), ERR_NO_DEVICE_SLOT, ERR_QMP,
 *   ERR_SHARE_BIND, ERR_SHARE_LOST
 */
export async function createContainer(
  podId: string,
  config: ContainerConfig,
  options: CallOptions = {},
): Promise<CreatedContainer> {
  const call = new Call(options);
  checkContainerConfig(config);
  return changePod(podId, call, async (pod) => {
    checkState({ podId }, pod.state, ["ready", "running", "stopped"], "to get a container");
    if (pod.containers.some(({ id }) => id === config.id)) {
      const text = `pod "${podId}" has a container "${config.id}" already`;
      throw new HuskError("ERR_CONTAINER_EXISTS", text, { podId, containerId: config.id });
    }
    const absolute = withAbsoluteRootFs(config);
    checkLimitsSupported(pod.record.config, [absolute]);
    checkSpecsSupported(pod.record.config, [absolute]);
    checkConsoleSupported(pod.record.config, config.cmd, config.id);
    const plan = await planStorage(absolute, pod.record.config, call);
    await using undo = new UndoStack();
    const storage = pod.state === "stopped" ? undefined : await attachStorage(pod, plan, undo);
    undo.push(() => forgetContainer(pod, config.id));
    pod.record.config.containers = [...pod.containers, absolute];
    pod.record.containers[config.id] = { state: "ready", ...(storage ? { storage } : {}) };
    if (pod.state !== "stopped") await growVm(pod, undo);
    pod.save();
    undo.commit();
    const handle = podHandle(pod);
    return { pod: handle, container: containerHandle(pod, config.id) };
  });
}

function forgetContainer(pod: OpenPod, containerId: string): void {
  pod.record.config.containers = pod.containers.filter(({ id }) => id !== containerId);
  delete pod.record.containers[containerId];
  pod.save();
}

/**
 * Starts a container of a running pod, or one that is prepared. One that has ended begins anew. Go: `StartContainer`.
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_AGENT_REFUSED, ERR_VM_LOST
 */
export async function startContainer(
  podId: string,
  containerId: string,
  options: StartOptions = {},
): Promise<VCContainer> {
  const start = async (pod: OpenPod) => {
    const { record } = pod.container(containerId);
    const needed = record.prepared ? (["ready", "running"] as const) : (["running"] as const);
    checkState({ podId }, pod.state, needed, "to start a container in it");
    checkState({ podId, containerId }, record.state, ["ready", "stopped"], "to be started");
    if (options.ifPrepared) checkPrepared(pod, containerId);
    await using undo = new UndoStack();
    pod.keepForUndo(undo);
    pod.announceChange();
    await startOne(pod, containerId, undo);
    pod.record.state = "running";
    pod.save();
    undo.commit();
    return containerHandle(pod, containerId);
  };
  return withContainer(podId, containerId, options, start, ["ifPrepared"]);
}

/** @throws HuskError ERR_STATE_INVALID */
function checkPrepared(pod: OpenPod, containerId: string): void {
  const { prepared, state } = pod.container(containerId).record;
  if (prepared) return;
  const text = `container "${containerId}" of pod "${pod.id}" is ${state}, and not prepared`;
  throw new HuskError("ERR_STATE_INVALID", text, { podId: pod.id, containerId });
}

/**
 * Stops a container: SIGTERM, and SIGKILL when that does not help. One that has ended already stays so, without an
 * error. Go: `StopContainer`.
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_TIMEOUT, ERR_VM_LOST
 */
export async function stopContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<VCContainer> {
  return withContainer(podId, containerId, options, async (pod) => {
    const { record } = pod.container(containerId);
    if (record.state === "stopped") return containerHandle(pod, containerId);
    checkState({ podId }, pod.state, ["ready", "running"], "to stop a container in it");
    checkMove({ podId, containerId }, record.state, "stopped");
    if (record.pausedAlone) await goOn(pod, containerId);
    if (record.state === "running" || record.prepared) await endContainer(pod, containerId);
    markStopped(record, pod.live.exits.get(containerId));
    pod.save();
    return containerHandle(pod, containerId);
  });
}

async function endContainer(pod: OpenPod, containerId: string): Promise<void> {
  const { live, call } = pod;
  const session = await needSession(pod);
  const { signal } = call;
  for (const number of [SIGTERM, SIGKILL]) {
    if (live.exits.has(containerId)) return;
    if (!(await session.killContainer(containerId, number, { signal }))) return;
    try {
      await seeEnd(pod, containerId);
      // A shim that was killed meanwhile has told nothing, and its process may not listen.
      if (!live.exits.has(containerId)) await endOrphan(pod, containerId);
      return;
    } catch (error) {
      if (number === SIGKILL || !isHuskError(error, "ERR_TIMEOUT")) throw error;
    }
  }
}

/**
 * Waits until the container's end has been heard of, or its shim has ended.
 * @throws HuskError ERR_TIMEOUT, ERR_ABORTED
 */
async function seeEnd(pod: OpenPod, containerId: string): Promise<void> {
  const { live, record, directory, call } = pod;
  const stop = new AbortController();
  const ways = [live.exited(containerId)];
  if (record.containers[containerId]?.ownShim)
    ways.push(waitForShim(directory.attachSocket(containerId), { signal: stop.signal }));
  const ms = deadlineMs("agentCommand", pod.hypervisor.deadlineFactor);
  try {
    const what = `container "${containerId}" to end`;
    await withDeadline(Promise.race(ways), { ms, signal: call.signal, what });
  } finally {
    stop.abort();
  }
  noteShimExits(record, directory, live);
}

/**
 * Deletes a container that does not run. Go: `DeleteContainer`.
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID
 */
export async function deleteContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<VCContainer> {
  return withContainer(podId, containerId, options, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId, containerId }, record.state, ["ready", "stopped"], "to be deleted");
    const handle = containerHandle(pod, containerId);
    await removeInGuest(pod, containerId);
    forgetContainer(pod, containerId);
    releaseBinds(pod.directory, containerId);
    await forgetShim(pod, containerId);
    await unplugUnusedDrives(pod);
    await unplugUnusedHostDevices(pod);
    return handle;
  });
}

/** What a container had in the guest must go before its disks can; the guest of a paused VM cannot answer. */
async function removeInGuest(pod: OpenPod, containerId: string): Promise<void> {
  const { record, hypervisor, call } = pod;
  const { startTime, prepared } = record.containers[containerId] ?? {};
  const isThere = startTime !== undefined || prepared !== undefined;
  if (!isThere || !hypervisor.vm || pod.state === "paused" || !createAgent(record.config).keepsEnded) return;
  const session = await needSession(pod);
  await session.removeContainer(containerId, { signal: call.signal });
}
