import type { ContainerStorage } from "../agent/types.ts";
import { HuskError } from "../errors/index.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import { blockHotplugOf } from "../hypervisor/types.ts";
import { type DiskSource, findDrive, newDrive } from "../storage/drives.ts";
import { bindIntoShare, releaseBinds } from "../storage/share-namespace.ts";
import { findPodShare, serverOf } from "../storage/shares.ts";
import { bindsOf, disksOf, type StoragePlan, storageOf } from "../storage/storage-plan.ts";
import { takenAddresses } from "../store/pod-record.ts";
import type { UndoStack } from "../undo-stack.ts";
import { plugHostDevices, unplugUnusedHostDevices } from "./host-devices.ts";
import type { OpenPod } from "./open-pod.ts";
import { unplugUnusedDrives } from "./unplug-drives.ts";

/**
 * Gives a running VM what a container needs of the host: disks are plugged in, directories bound into the pod's share.
 * @throws HuskError ERR_NOT_SUPPORTED, ERR_NO_DEVICE_SLOT, ERR_QMP, and as `bindContainer`
 */
export async function attachStorage(
  pod: OpenPod,
  plan: StoragePlan,
  undo: UndoStack,
): Promise<ContainerStorage> {
  // What a caller that was killed has left of such a container.
  releaseBinds(pod.directory, plan.containerId);
  undo.push(() => releaseBinds(pod.directory, plan.containerId));
  await bindContainer(pod, plan);
  undo.push(() => unplugUnusedDrives(pod));
  for (const disk of disksOf(plan)) await plugDisk(pod, disk);
  undo.push(() => unplugUnusedHostDevices(pod));
  await plugHostDevices(pod, plan);
  return storageOf(plan, pod.record.drives);
}

/** Does so for all containers of a VM that has just been started; throws as `bindContainer`. */
export async function bindContainers(pod: OpenPod, plans: readonly StoragePlan[]): Promise<void> {
  for (const plan of plans) await bindContainer(pod, plan);
}

/**
 * Binds what a container needs of the host into the pod's share. Who undoes this releases the binds.
 * @throws HuskError ERR_NOT_SUPPORTED when the pod has no share, ERR_SHARE_BIND, ERR_SHARE_LOST, ERR_TIMEOUT, ERR_ABORTED
 */
async function bindContainer(pod: OpenPod, plan: StoragePlan): Promise<void> {
  const binds = bindsOf(plan);
  if (binds.length === 0) return;
  const { record, directory, call, hypervisor } = pod;
  const share = findPodShare(record);
  if (!share) {
    const hint = "Create the pod with hypervisorConfig.sharedFS, or with a container that shares something.";
    const text = `pod "${pod.id}" was created without anything to share, and cannot get a share while it runs`;
    throw new HuskError("ERR_NOT_SUPPORTED", text, { hint, podId: pod.id, containerId: plan.containerId });
  }
  const server = serverOf(share, record);
  const options = { timeoutMs: deadlineMs("shareBind", hypervisor.deadlineFactor), signal: call.signal };
  for (const bind of binds) await bindIntoShare(bind, directory, server, options);
  call.mark("bound");
}

/** Makes sure that a running VM has a disk. */
async function plugDisk(pod: OpenPod, disk: DiskSource): Promise<void> {
  const { record, hypervisor, directory, call } = pod;
  if (findDrive(record.drives, disk)) return;
  const hotplug = blockHotplugOf(hypervisor);
  if (!hotplug) {
    const hint =
      "Give the container when the pod is created, or use the machine type q35 or the blockDeviceDriver virtio-scsi.";
    throw new HuskError("ERR_NOT_SUPPORTED", "this pod's VM cannot take a disk while it runs", {
      hint,
      podId: pod.id,
    });
  }
  const drive = newDrive(record.drives, disk);
  const addr = await hotplug.hotplugAddDevice(drive, directory, takenAddresses(record), call);
  call.mark("disk-plugged");
  record.drives.push({ ...drive, addr });
  // Stored at once: whatever comes next, the VM has this disk.
  pod.save();
}
