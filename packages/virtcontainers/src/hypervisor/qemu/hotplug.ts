import { HuskError, isHuskError } from "../../errors/index.ts";
import type { Drive } from "../types.ts";
import { blockDeviceOf, blockdevOf, nodeName, slotName } from "./command-line.ts";
import { QmpClient } from "./qmp-client.ts";

/** Where and how long a disk is plugged in. */
export interface PlugOptions {
  /** slots that hold a disk */
  readonly taken: readonly string[];
  /** number of slots of the VM */
  readonly slots: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Plugs a disk into a free slot of a running VM.
 * @returns the slot
 * @throws HuskError ERR_NO_DEVICE_SLOT, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export async function plugDrive(drive: Drive, qmpPath: string, options: PlugOptions): Promise<string> {
  const names = Array.from({ length: options.slots }, (_, index) => slotName(index));
  const slot = names.find((name) => !options.taken.includes(name));
  if (slot === undefined) {
    throw new HuskError("ERR_NO_DEVICE_SLOT", `all ${options.slots} slots for hot-plugged disks are taken`);
  }
  const client = await QmpClient.connect(qmpPath, options);
  try {
    await client.execute({ execute: "blockdev-add", arguments: blockdevOf(drive) }, options);
    try {
      const device = { ...blockDeviceOf(drive, "q35"), bus: slot };
      await client.execute({ execute: "device_add", arguments: device }, options);
    } catch (error) {
      await removeNode(client, drive, options.timeoutMs);
      throw error;
    }
  } finally {
    client.close();
  }
  return slot;
}

async function removeNode(client: QmpClient, drive: Drive, timeoutMs: number): Promise<void> {
  try {
    await client.execute(
      { execute: "blockdev-del", arguments: { "node-name": nodeName(drive.id) } },
      { timeoutMs },
    );
  } catch (error) {
    // The node goes with the VM at the latest; why the disk was refused is what matters.
    if (!isHuskError(error)) throw error;
  }
}
