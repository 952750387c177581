import type { QmpMemoryDevice } from "@husk/wire/qmp";
import { HuskError } from "../../errors/index.ts";
import type { HypervisorConfig } from "../../types/index.ts";
import { checkAddedMemory } from "./host-memory.ts";
import { addDevice, type HotplugOptions, takenByGuest } from "./hotplug.ts";
import { pluggedBackend, toBlocks } from "./memory.ts";
import { isRefusal, QmpClient, type QmpOptions } from "./qmp-client.ts";

const MIB = 1024 * 1024;

/** The memory of a running VM; sizes in MiB. */
interface MemoryNow {
  /** what it began with */
  readonly base: number;
  /** the most that it can have */
  readonly max: number;
  /** number of modules that can be plugged in */
  readonly slots: number;
  /** modules that are plugged in, in the order of their slots */
  readonly modules: readonly { readonly id: string; readonly size: number }[];
  readonly total: number;
}

/**
 * Plugs memory into a running VM until it has `totalMiB`, as one module, of whole blocks of the guest, and waits until the
 * guest knows of it. It stays: a guest that
 * uses it mostly does not give it back, and a kernel that was just about to use it was seen to crash when it went.
 * @returns MiB that it has now
 * @throws HuskError ERR_HOST_MEMORY, ERR_CONFIG_INVALID, ERR_NO_DEVICE_SLOT, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export async function plugMemory(
  totalMiB: number,
  config: HypervisorConfig,
  qmpPath: string,
  options: HotplugOptions,
): Promise<number> {
  return QmpClient.use(qmpPath, options, async (client) => {
    const now = await queryMemory(client, options);
    const added = toBlocks(Math.max(totalMiB - now.total, 0));
    if (added === 0) return now.total;
    checkRoom(now, added);
    checkAddedMemory(config, added, now.total + added);
    await addModule(client, freeNumber(now), added, config, options);
    return now.total + added;
  });
}

function checkRoom({ base, max, slots, modules, total }: MemoryNow, added: number): void {
  const hint = "Create the pod with a higher hypervisorConfig.memSlots (husk run: --memory-slots).";
  if (modules.length >= slots) {
    const text = `the VM has been given more memory ${modules.length} times, and can be no more than ${slots}`;
    throw new HuskError("ERR_NO_DEVICE_SLOT", text, { hint });
  }
  if (total + added <= max) return;
  const text = `the VM has ${total} MiB (it began with ${base}) and cannot get ${added} more: ${max} are its most`;
  throw new HuskError("ERR_NO_DEVICE_SLOT", text, { hint: "Give its containers less memory." });
}

async function addModule(
  client: QmpClient,
  number: number,
  mib: number,
  config: HypervisorConfig,
  options: HotplugOptions,
): Promise<void> {
  const id = `dimm-${number}`;
  const memdev = backendOf(id);
  const backends = await client.execute({ execute: "query-memdev" }, options);
  if (!Array.isArray(backends)) throw new HuskError("ERR_QMP", "QEMU's list of memory backends is no list");
  // A caller that was killed may have left it, without the module.
  if (backends.some((backend) => backend.id === memdev)) await removeObject(client, memdev, options);
  // What sees the guest's memory must see all of it.
  const share = backends.some((backend) => backend.share);
  const backend = pluggedBackend(memdev, mib, config, share);
  await client.execute({ execute: "object-add", arguments: backend }, options);
  const taken = takenByGuest(client, id, options);
  taken.catch(() => {});
  try {
    await addDevice(client, { driver: "pc-dimm", id, memdev }, options);
  } catch (error) {
    // It takes nothing as long as nobody uses it, and the next attempt removes it.
    await removeObject(client, memdev, { timeoutMs: options.timeoutMs }).catch(() => {});
    throw error;
  }
  await taken;
}

async function removeObject(client: QmpClient, id: string, options: QmpOptions): Promise<void> {
  try {
    await client.execute({ execute: "object-del", arguments: { id } }, options);
  } catch (error) {
    // An earlier attempt may have come as far as this.
    if (!isRefusal(error, "GenericError") || !/not found/.test(String(error))) throw error;
  }
}

async function queryMemory(client: QmpClient, options: QmpOptions): Promise<MemoryNow> {
  const question = { execute: "qom-get", arguments: { path: "/machine", property: "memory" } } as const;
  const machine = (await client.execute(question, options)) as Record<string, unknown> | null;
  const { size: base, slots = 0, "max-size": max = base } = machine ?? {};
  const modules = await client.execute({ execute: "query-memory-devices" }, options);
  if (!isSize(base) || !isSize(max) || !Number.isInteger(slots) || !Array.isArray(modules)) {
    throw new HuskError("ERR_QMP", "QEMU does not tell how much memory the VM has");
  }
  const plugged = modules.flatMap(moduleOf).sort((one, other) => one.slot - other.slot);
  const total = plugged.reduce((sum, { size }) => sum + size, base / MIB);
  return { base: base / MIB, max: max / MIB, slots: slots as number, modules: plugged, total };
}

function moduleOf({ type, data }: QmpMemoryDevice) {
  const { id, size, slot } = data;
  if (type !== "dimm" || id === undefined || !isSize(size)) return [];
  return [{ id, size: size / MIB, slot: Number(slot) }];
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** Modules are numbered, and a number that is free again is used again. */
function freeNumber({ modules }: MemoryNow): number {
  const ids = modules.map(({ id }) => id);
  return [...ids, ""].findIndex((_, number) => !ids.includes(`dimm-${number}`));
}

/** Name of the object behind a module. */
function backendOf(id: string): string {
  return id.replace("dimm", "mem");
}
