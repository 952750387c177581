import { withAbsoluteRootFs } from "../config/absolute-paths.ts";
import { checkId } from "../config/ids.ts";
import { checkContainerConfig } from "../config/schema.ts";
import { withDeadline } from "../deadline.ts";
import { HuskError, isHuskError } from "../errors/index.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import { blockHotplugOf } from "../hypervisor/types.ts";
import { checkMove, checkState } from "../state-machine.ts";
import { allocateDriveId, findDrive } from "../storage/drives.ts";
import { prepareRootfs, type RootfsImage } from "../storage/rootfs.ts";
import type { CallOptions, ContainerConfig, VCContainer, VCPod } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { containerHandle, podHandle } from "./handles.ts";
import { markStopped, type OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";
import { startOne } from "./start-pod.ts";
import { unplugUnusedDrives } from "./unplug-drives.ts";

const SIGKILL = 9;
const SIGTERM = 15;

/** What `createContainer` returns. */
export interface CreatedContainer {
  readonly pod: VCPod;
  readonly container: VCContainer;
}

/**
 * Creates a container in a pod. When the pod has a VM, the disk with the root file system is plugged in, unless it is
 * there already.
 * @throws HuskError ERR_CONTAINER_EXISTS, ERR_STATE_INVALID, ERR_ROOTFS_MISSING, ERR_NOT_SUPPORTED (the machine cannot
 *   hot-plug), ERR_NO_DEVICE_SLOT, ERR_QMP
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
    const image = await prepareRootfs(config.rootFs, call);
    const drive = pod.state === "stopped" ? undefined : await plugImage(pod, image);
    pod.record.config.containers = [...pod.containers, withAbsoluteRootFs(config)];
    pod.record.containers[config.id] = { state: "ready", ...(drive === undefined ? {} : { drive }) };
    pod.save();
    const handle = podHandle(pod);
    return { pod: handle, container: containerHandle(pod, config.id) };
  });
}

/** Makes sure that a running VM has the disk of an image. @returns the disk's id */
async function plugImage(pod: OpenPod, image: RootfsImage): Promise<string> {
  const { record, hypervisor, directory, call } = pod;
  const known = findDrive(record.drives, image);
  if (known) return known.id;
  const hotplug = blockHotplugOf(hypervisor);
  if (!hotplug) {
    const hint =
      "Give the container when the pod is created, or use the machine type q35 or the blockDeviceDriver virtio-scsi.";
    throw new HuskError("ERR_NOT_SUPPORTED", "this pod's VM cannot take a disk while it runs", {
      hint,
      podId: pod.id,
    });
  }
  const drive = { id: allocateDriveId(record.drives), imagePath: image.path, fstype: image.fstype };
  const taken = record.drives.flatMap(({ addr }) => addr ?? []);
  const addr = await hotplug.hotplugAddDevice(drive, directory, taken, call);
  call.mark("disk-plugged");
  record.drives.push({ ...drive, addr });
  // Stored at once: whatever comes next, the VM has this disk.
  pod.save();
  return drive.id;
}

/**
 * Starts a container of a running pod. One that has ended begins anew.
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_AGENT_REFUSED, ERR_VM_LOST
 */
export async function startContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<VCContainer> {
  return withContainer(podId, containerId, options, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["running"], "to start a container in it");
    checkState({ podId, containerId }, record.state, ["ready", "stopped"], "to be started");
    await using undo = new UndoStack();
    pod.keepForUndo(undo);
    pod.announceChange();
    await startOne(pod, containerId, undo);
    pod.save();
    undo.commit();
    return containerHandle(pod, containerId);
  });
}

/**
 * Stops a container: SIGTERM, and SIGKILL when that does not help. One that has ended already stays so, without an error.
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
    if (record.state === "running") await endContainer(pod, containerId);
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
    const ms = deadlineMs("agentCommand", pod.hypervisor.deadlineFactor);
    try {
      await withDeadline(live.exited(containerId), { ms, signal, what: `container "${containerId}" to end` });
      return;
    } catch (error) {
      if (number === SIGKILL || !isHuskError(error, "ERR_TIMEOUT")) throw error;
    }
  }
}

/**
 * Deletes a container that does not run.
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
    pod.record.config.containers = pod.containers.filter(({ id }) => id !== containerId);
    delete pod.record.containers[containerId];
    pod.save();
    await unplugUnusedDrives(pod);
    return handle;
  });
}

async function withContainer<T>(
  podId: string,
  containerId: string,
  options: CallOptions,
  action: (pod: OpenPod) => Promise<T>,
): Promise<T> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  return changePod(podId, call, action);
}
