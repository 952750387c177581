import type { QmpCpuPlace } from "@husk/wire/qmp";
import { HuskError } from "../../errors/index.ts";
import { addDevice, type HotplugOptions, removeDevice, takenByGuest } from "./hotplug.ts";
import { QmpClient, type QmpOptions } from "./qmp-client.ts";

/** Where QEMU keeps what was plugged in; what it began with is elsewhere. */
const PLUGGED = "/machine/peripheral/";

/**
 * Plugs processors into a running VM until it has `total`, and waits until the guest knows of them.
 * @returns how many it has now
 * @throws HuskError ERR_NO_DEVICE_SLOT, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED; what came before it goes again
 */
export async function plugVcpus(total: number, qmpPath: string, options: HotplugOptions): Promise<number> {
  return QmpClient.use(qmpPath, options, async (client) => {
    const places = await queryPlaces(client, options);
    const present = places.filter(isTaken).length;
    if (total > places.length) {
      const text = `the VM can have ${places.length} virtual CPUs at most, and would need ${total}`;
      const hint = "Create the pod with a higher hypervisorConfig.defaultMaxVCPUs (husk run: --max-cpus).";
      throw new HuskError("ERR_NO_DEVICE_SLOT", text, { hint });
    }
    const free = places.flatMap((place, index) => (isTaken(place) ? [] : [{ place, id: `cpu-${index}` }]));
    const wanted = free.slice(0, Math.max(total - present, 0));
    const taken = Promise.all(wanted.map(({ id }) => takenByGuest(client, id, options)));
    taken.catch(() => {});
    try {
      for (const { place, id } of wanted)
        await addDevice(client, { driver: place.type, id, ...place.props }, options);
      await taken;
    } catch (error) {
      await removeVcpus(client, present, { ...options, signal: undefined }).catch(() => {});
      throw error;
    }
    return present + wanted.length;
  });
}

/**
 * Takes processors that were plugged in out again, the last ones first, until the VM has `total`, or none of them is left.
 * @throws HuskError ERR_QMP, ERR_TIMEOUT when the guest does not give one back, ERR_ABORTED
 */
export async function unplugVcpus(total: number, qmpPath: string, options: HotplugOptions): Promise<void> {
  await QmpClient.use(qmpPath, options, (client) => removeVcpus(client, total, options));
}

async function removeVcpus(client: QmpClient, total: number, options: HotplugOptions): Promise<void> {
  const taken = (await queryPlaces(client, options)).filter(isTaken);
  const plugged = taken.flatMap(({ "qom-path": path = "" }) =>
    path.startsWith(PLUGGED) ? [path.slice(PLUGGED.length)] : [],
  );
  const surplus = Math.max(taken.length - total, 0);
  for (const id of plugged.reverse().slice(0, surplus)) await removeDevice(client, id, options);
}

/** All places for processors, in the order in which a guest numbers them. */
async function queryPlaces(client: QmpClient, options: QmpOptions): Promise<QmpCpuPlace[]> {
  const places = await client.execute({ execute: "query-hotpluggable-cpus" }, options);
  if (!Array.isArray(places) || places.some(({ props }) => typeof props !== "object" || props === null)) {
    throw new HuskError("ERR_QMP", "QEMU's list of places for CPUs is none");
  }
  return places.sort(compareNumbers);
}

function compareNumbers({ props: one }: QmpCpuPlace, { props: other }: QmpCpuPlace): number {
  const levels = ["socket-id", "die-id", "core-id", "thread-id"];
  const differences = levels.map((level) => (one[level] ?? 0) - (other[level] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

function isTaken(place: QmpCpuPlace): boolean {
  return place["qom-path"] !== undefined;
}
