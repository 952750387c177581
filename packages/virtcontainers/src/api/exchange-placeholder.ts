import { PLACEHOLDER_ID } from "../factory/blank-vm.ts";
import { canReplacePlaceholder } from "../factory/placeholder.ts";
import { diskExchangeOf } from "../hypervisor/types.ts";
import { disksOf, type StoragePlan } from "../storage/storage-plan.ts";
import type { OpenPod } from "./open-pod.ts";

/**
 * Puts the first disk of a pod that cannot be written to in the place of the one that its VM waited with, which its guest knows
 * already: that takes a hundredth of the time that plugging in does. Others, and those of VMs that cannot exchange any, are
 * plugged in later.
 * @throws HuskError as `DiskExchange.exchangeDisk`
 */
export async function exchangePlaceholder(pod: OpenPod, plans: readonly StoragePlan[]): Promise<void> {
  const { record, hypervisor, directory, call } = pod;
  const exchange = diskExchangeOf(hypervisor);
  const at = record.drives.findIndex(({ id, addr }) => id === PLACEHOLDER_ID && addr === undefined);
  const disks = plans.flatMap(disksOf).map(({ path: imagePath, ...disk }) => ({ ...disk, imagePath }));
  const disk = disks.find(canReplacePlaceholder);
  if (!exchange || !disk || at === -1 || record.drives[at]?.imagePath === disk.imagePath) return;
  const { imagePath, fstype } = disk;
  const drive = {
    id: PLACEHOLDER_ID,
    imagePath,
    readOnly: true,
    ...(fstype === undefined ? {} : { fstype }),
  };
  await exchange.exchangeDisk(drive, directory, call);
  record.drives[at] = drive;
  pod.save();
  call.mark("disk-exchanged");
}
