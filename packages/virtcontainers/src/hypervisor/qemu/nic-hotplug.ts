import { HuskError, isHuskError, messageOf } from "../../errors/index.ts";
import type { Nic } from "../types.ts";
import { addDevice, type HotplugOptions, removeDevice } from "./hotplug.ts";
import { findNetworkError } from "./network-error.ts";
import { closeDescriptors, type NicOrigin, queuesOf, sendDescriptors } from "./nic-descriptors.ts";
import { type NicPlan, netdevId, netdevOf, nicChardevId, nicDeviceOf, nicId } from "./nics.ts";
import { isRefusal, QmpClient, type QmpOptions } from "./qmp-client.ts";

/** Where, and into what VM, an interface is plugged. */
export interface NicPlace extends NicPlan {
  readonly addr: string;
  readonly vhostNet: boolean;
  readonly origin: NicOrigin;
  /** QEMU lives in another network namespace than the interface */
  readonly isForeign: boolean;
}

/**
 * Plugs a network interface into a running VM. One of that name that is there already goes before.
 * @throws HuskError ERR_NOT_SUPPORTED, ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_ASSET_MISSING, ERR_PORT_IN_USE, ERR_QMP,
 *   ERR_TIMEOUT, ERR_ABORTED
 */
export async function plugNic(
  nic: Nic,
  place: NicPlace,
  qmpPath: string,
  options: HotplugOptions,
): Promise<void> {
  await QmpClient.use(qmpPath, options, async (client) => {
    // A caller that was killed may have left this very interface plugged in without a record of it.
    await removeNic(client, nic.name, options);
    try {
      await addNic(client, nic, place, options);
    } catch (error) {
      // What is behind it goes with the VM at the latest; why it was refused is what matters.
      await removeBackend(client, nic.name, { timeoutMs: options.timeoutMs }).catch(ignoreHuskError);
      const queues = isSent(nic, place) ? queuesOf(nic) : 0;
      await closeDescriptors(client, nic.name, { timeoutMs: options.timeoutMs }, queues).catch(
        ignoreHuskError,
      );
      throw isHuskError(error, "ERR_QMP") ? (findNetworkError(messageOf(error), error) ?? error) : error;
    }
  });
}

/**
 * Takes a network interface out of a running VM: asks the guest, waits until it has let go, and closes what is behind it.
 * @throws HuskError ERR_QMP, ERR_TIMEOUT when the guest does not give it back, ERR_ABORTED
 */
export async function unplugNic(name: string, qmpPath: string, options: HotplugOptions): Promise<void> {
  await QmpClient.use(qmpPath, options, (client) => removeNic(client, name, options));
}

async function addNic(client: QmpClient, nic: Nic, place: NicPlace, options: QmpOptions): Promise<void> {
  if (nic.backend.type === "vhost-user") {
    await checkSharedMemory(client, nic.name, options);
    await openChardev(client, nicChardevId(nic.name), nic.backend.socketPath, options);
  }
  const fds = isSent(nic, place) ? await sendDescriptors(client, nic, place.origin, options) : [];
  const netdev = netdevOf(nic, place.vhostNet, fds);
  await client.execute({ execute: "netdev_add", arguments: netdev }, options);
  await addDevice(client, nicDeviceOf(nic, place, place.addr), options);
}

/** Whether QEMU cannot open an interface itself: it has a device node, or is in a namespace that QEMU does not live in. */
function isSent({ backend: { type } }: Nic, { isForeign }: NicPlace): boolean {
  return type === "macvtap" || (type === "tap" && isForeign);
}

async function checkSharedMemory(client: QmpClient, name: string, options: QmpOptions): Promise<void> {
  const backends = await client.execute({ execute: "query-memdev" }, options);
  if (!Array.isArray(backends)) throw new HuskError("ERR_QMP", "QEMU's list of memory backends is no list");
  if (backends.every(({ share }) => share)) return;
  const text = `the interface ${name} is served by vhost-user, and the memory of this VM is not shared`;
  const hint = "Give the pod the interface before it starts, or a share (sharedFS virtiofs).";
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint });
}

async function openChardev(client: QmpClient, id: string, path: string, options: QmpOptions): Promise<void> {
  const data = { addr: { type: "unix", data: { path } }, server: false } as const;
  await client.execute(
    { execute: "chardev-add", arguments: { id, backend: { type: "socket", data } } },
    options,
  );
}

async function removeNic(client: QmpClient, name: string, options: HotplugOptions): Promise<void> {
  await removeDevice(client, nicId(name), options);
  // An earlier attempt may have come as far as this, or no further.
  await removeBackend(client, name, options);
  await closeDescriptors(client, name, options);
}

async function removeBackend(client: QmpClient, name: string, options: QmpOptions): Promise<void> {
  try {
    await client.execute({ execute: "netdev_del", arguments: { id: netdevId(name) } }, options);
  } catch (error) {
    if (!isRefusal(error, "DeviceNotFound")) throw error;
  }
  const id = nicChardevId(name);
  const chardevs = await client.execute({ execute: "query-chardev" }, options);
  if (!Array.isArray(chardevs)) throw new HuskError("ERR_QMP", "QEMU's list of character devices is no list");
  if (!chardevs.some(({ label }) => label === id)) return;
  await client.execute({ execute: "chardev-remove", arguments: { id } }, options);
}

function ignoreHuskError(error: unknown): void {
  if (!isHuskError(error)) throw error;
}
