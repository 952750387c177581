import { isHuskError } from "../errors/index.ts";
import { blockHotplugOf } from "../hypervisor/types.ts";
import { drivesIn } from "../storage/storage-plan.ts";
import type { OpenPod } from "./open-pod.ts";

/**
 * Takes the disks out of a running VM that no container uses any more. One that the guest does not give back stays in
 * the record with its address: it can serve again, and the next deletion tries again.
 */
export async function unplugUnusedDrives(pod: OpenPod): Promise<void> {
  const { record, hypervisor, directory } = pod;
  const hotplug = blockHotplugOf(hypervisor);
  // The guest of a paused VM cannot answer.
  if (!hotplug || !hypervisor.vm || pod.state === "paused") return;
  const used = new Set(
    Object.values(record.containers).flatMap(({ storage }) => (storage ? drivesIn(storage) : [])),
  );
  // A disk without an address was there at the start, on a bus that never lets go.
  const unused = record.drives.filter(({ id, addr }) => addr !== undefined && !used.has(id));
  for (const drive of unused) {
    try {
      // Not ended by the call's signal: it may be what undoes a call that was aborted.
      await hotplug.hotplugRemoveDevice(drive, directory, {});
    } catch (error) {
      if (!isHuskError(error)) throw error;
      continue;
    }
    record.drives = record.drives.filter(({ id }) => id !== drive.id);
    pod.save();
  }
}
