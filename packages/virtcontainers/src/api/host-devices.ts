import { HuskError, isHuskError } from "../errors/index.ts";
import { vfioHotplugOf } from "../hypervisor/types.ts";
import { isSameFunction } from "../hypervisor/vfio.ts";
import type { StoragePlan } from "../storage/storage-plan.ts";
import { type HostDeviceRecord, takenAddresses } from "../store/pod-record.ts";
import type { OpenPod } from "./open-pod.ts";

type DevicesOfContainer = Pick<StoragePlan, "containerId" | "vfio">;

/** The devices of the host that the containers of a pod ask for: what several ask for, the VM has once. */
export function hostDevicesOf(plans: readonly DevicesOfContainer[]): HostDeviceRecord[] {
  const records: HostDeviceRecord[] = [];
  for (const { containerId, vfio } of plans) {
    for (const device of vfio) {
      const known = records.find((record) => isSameFunction(record.device, device));
      if (known) known.containerIds.push(containerId);
      else records.push({ device, containerIds: [containerId] });
    }
  }
  return records;
}

/**
 * Gives a running VM the devices of the host that a container asks for.
 * @throws HuskError ERR_NOT_SUPPORTED, ERR_NO_DEVICE_SLOT, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export async function plugHostDevices(
  pod: OpenPod,
  { containerId, vfio }: DevicesOfContainer,
): Promise<void> {
  const { record, hypervisor, directory, call } = pod;
  for (const device of vfio) {
    record.hostDevices ??= [];
    const known = record.hostDevices.find((other) => isSameFunction(other.device, device));
    if (known) {
      known.containerIds.push(containerId);
      continue;
    }
    const hotplug = vfioHotplugOf(hypervisor);
    if (!hotplug) {
      const text = "this pod's VM cannot take a device of the host while it runs";
      const hint =
        "Give the container when the pod is created, or use the machine type q35 with defaultBridges.";
      throw new HuskError("ERR_NOT_SUPPORTED", text, { hint, podId: pod.id, containerId });
    }
    const addr = await hotplug.hotplugAddVfio(device, directory, takenAddresses(record), call);
    record.hostDevices.push({ device, containerIds: [containerId], addr });
    // Stored at once: whatever comes next, the VM has this device.
    pod.save();
  }
}

/**
 * Takes the devices of the host out of a running VM that no container asked for, of those that the pod still has. One that
 * the guest does not give back stays in the record, and the next deletion tries again.
 */
export async function unplugUnusedHostDevices(pod: OpenPod): Promise<void> {
  const { record, hypervisor, directory } = pod;
  const hotplug = vfioHotplugOf(hypervisor);
  // The guest of a paused VM cannot answer.
  if (!hotplug || !hypervisor.vm || pod.state === "paused") return;
  const isUsed = ({ containerIds }: HostDeviceRecord) => containerIds.some((id) => id in record.containers);
  const plugged = record.hostDevices?.filter(({ addr }) => addr !== undefined) ?? [];
  for (const unused of plugged.filter((known) => !isUsed(known))) {
    try {
      await hotplug.hotplugRemoveVfio(unused.device, directory, {});
    } catch (error) {
      if (!isHuskError(error)) throw error;
      continue;
    }
    record.hostDevices = record.hostDevices?.filter((known) => known !== unused) ?? [];
    pod.save();
  }
}
