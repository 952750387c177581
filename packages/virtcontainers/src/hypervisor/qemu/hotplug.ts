import type { QmpDevice, QmpEvents } from "@husk/wire/qmp";
import { HuskError, isHuskError } from "../../errors/index.ts";
import type { Drive } from "../types.ts";
import { asDisk, blockdevOf, type DiskPlan, diskDeviceOf, diskName, nodeName } from "./disks.ts";
import { isRefusal, QmpClient, type QmpOptions } from "./qmp-client.ts";

/** How long plugging and unplugging may take. */
export interface HotplugOptions extends QmpOptions {
  /** milliseconds in which the guest gives a device back, or takes one */
  readonly unplugMs: number;
}

/**
 * Plugs a disk into a running VM, at its address.
 * @throws HuskError ERR_ASSET_MISSING, ERR_NOT_SUPPORTED, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export async function plugDrive(
  drive: Drive,
  plan: DiskPlan,
  qmpPath: string,
  options: HotplugOptions,
): Promise<void> {
  const blockdev = blockdevOf(asDisk(drive));
  const device = diskDeviceOf(drive, plan);
  await QmpClient.use(qmpPath, options, async (client) => {
    // A caller that was killed may have left this very disk plugged in without a record of it.
    if (await hasNode(client, drive, options)) await removeDisk(client, drive, options);
    await client.execute({ execute: "blockdev-add", arguments: blockdev }, options);
    try {
      await addDevice(client, device, options);
    } catch (error) {
      // The node goes with the VM at the latest; why the disk was refused is what matters.
      await removeNode(client, drive, { timeoutMs: options.timeoutMs }).catch(ignoreHuskError);
      throw error;
    }
  });
}

/**
 * Takes a disk out of a running VM: asks the guest, waits until it has let go, and closes the image.
 * @throws HuskError ERR_QMP, ERR_TIMEOUT when the guest does not give it back, ERR_ABORTED
 */
export async function unplugDrive(drive: Drive, qmpPath: string, options: HotplugOptions): Promise<void> {
  await QmpClient.use(qmpPath, options, (client) => removeDisk(client, drive, options));
}

/** Plugs a device that has nothing behind it but what it names itself; throws as `plugDrive`. */
export async function plugDevice(device: QmpDevice, qmpPath: string, options: QmpOptions): Promise<void> {
  await QmpClient.use(qmpPath, options, (client) => addDevice(client, device, options));
}

/** Takes such a device out again; throws as `unplugDrive`. */
export async function unplugDevice(id: string, qmpPath: string, options: HotplugOptions): Promise<void> {
  await QmpClient.use(qmpPath, options, (client) => removeDevice(client, id, options));
}

/** Plugs a device in. */
export async function addDevice(client: QmpClient, device: QmpDevice, options: QmpOptions): Promise<void> {
  await client.execute({ execute: "device_add", arguments: device }, options);
}

/**
 * Waits until the guest has taken a processor or memory: only then its agent can bring that online. Call it before the device is
 * plugged in.
 * @throws HuskError ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export async function takenByGuest(
  client: QmpClient,
  id: string,
  { signal, unplugMs }: HotplugOptions,
): Promise<void> {
  const isIt = ({ info }: QmpEvents["ACPI_DEVICE_OST"]) => info?.device === id && info.status === 0;
  try {
    await client.nextEvent("ACPI_DEVICE_OST", isIt, { timeoutMs: unplugMs, signal });
  } catch (error) {
    if (!isHuskError(error, "ERR_TIMEOUT")) throw error;
    const text = `the guest has not taken ${id}, which was plugged in, within ${Math.round(unplugMs)} ms`;
    throw new HuskError("ERR_TIMEOUT", text, { cause: error });
  }
}

async function removeDisk(client: QmpClient, drive: Drive, options: HotplugOptions): Promise<void> {
  await removeDevice(client, diskName(drive.id), options);
  // An earlier attempt may have come as far as this.
  if (await hasNode(client, drive, options)) await removeNode(client, drive, options);
}

/** Asks the guest to give a device back, and waits until it has; one that has gone already is no error. */
export async function removeDevice(client: QmpClient, id: string, options: HotplugOptions): Promise<void> {
  const { signal, unplugMs } = options;
  const isIt = ({ device, path }: { device?: string; path: string }) => device === id || isPartOf(id, path);
  const deleted = client.nextEvent("DEVICE_DELETED", isIt, { timeoutMs: unplugMs, signal });
  try {
    await Promise.all([deleted, client.execute({ execute: "device_del", arguments: { id } }, options)]);
  } catch (error) {
    // It has gone already: after an earlier attempt's deadline.
    if (!isRefusal(error, "DeviceNotFound")) throw error;
  }
}

/** Of a processor, QEMU tells that its interrupt controller has gone, which goes with it. */
function isPartOf(id: string, path: string): boolean {
  return path.startsWith(`/machine/peripheral/${id}/`);
}

async function hasNode(client: QmpClient, drive: Drive, options: QmpOptions): Promise<boolean> {
  const nodes = await client.execute(
    { execute: "query-named-block-nodes", arguments: { flat: true } },
    options,
  );
  if (!Array.isArray(nodes)) throw new HuskError("ERR_QMP", "QEMU's list of block nodes is no list");
  return nodes.some((node) => node["node-name"] === nodeName(drive.id));
}

async function removeNode(client: QmpClient, drive: Drive, options: QmpOptions): Promise<void> {
  await client.execute({ execute: "blockdev-del", arguments: { "node-name": nodeName(drive.id) } }, options);
}

function ignoreHuskError(error: unknown): void {
  if (!isHuskError(error)) throw error;
}
