/**
 * The storages of the pod: each is mounted once, for all who name it, and released when the last of them is gone.
 * Reference: virtcontainers.md 8.2.
 */

import { errorText } from "@husk/tiny";
import type { Storage } from "@husk/wire/kata";
import { TtrpcError } from "@husk/wire/ttrpc";
import { UndoStack } from "../undo-stack.ts";
import { storageDrivers } from "./drivers.ts";
import { giveToGroup } from "./fs-group.ts";
import { checkMountPoint } from "./mount-point.ts";
import { badStorage, type StorageDriver } from "./storage-driver.ts";

/** Most storages of one request. */
const MAX_STORAGES = 256;

/** Who has storages: a container by its id, or the pod. */
export type StorageOwner = string | typeof POD;

/** The pod as the owner of storages. */
export const POD: unique symbol = Symbol("pod");

/** A storage that is mounted, or is just being mounted. */
interface Mounted {
  /** its mount point without what a path may have too much of */
  key: string;
  driver: string;
  source: string;
  users: number;
  /** settles when it is mounted, or cannot be */
  ready: Promise<void>;
  undo: UndoStack;
}

const mounted = new Map<string, Mounted>();
/** what each owner has, in the order in which it was added */
const owned = new Map<StorageOwner, Mounted[]>();

/** Says which storage a failure is about, and keeps its status. */
function nameStorage(error: unknown, { driver, mountPoint }: Storage): Error {
  const text = `storage ${driver} at "${mountPoint.slice(0, 200)}": ${errorText(error)}`;
  return error instanceof TtrpcError ? new TtrpcError(error.code, text) : new Error(text);
}

function findDriver({ driver: name, driverOptions }: Storage): StorageDriver {
  const driver = storageDrivers.get(name);
  if (driver === undefined) throw badStorage(`Unknown storage driver "${name.slice(0, 80)}"`);
  const [odd] = driverOptions;
  if (odd !== undefined) throw badStorage(`driver option "${odd}" is not supported`);
  return driver;
}

async function mountNew(storage: Storage, undo: UndoStack): Promise<void> {
  try {
    await findDriver(storage)(storage, undo);
    if (storage.fsGroup) await giveToGroup(storage.mountPoint, storage.fsGroup);
  } catch (error) {
    await undo.run();
    throw nameStorage(error, storage);
  }
}

function begin(storage: Storage): Mounted {
  const { driver, source, mountPoint } = storage;
  const key = checkMountPoint(mountPoint).join("/");
  const known = mounted.get(key);
  if (known !== undefined) {
    if (known.driver !== driver || known.source !== source)
      throw badStorage(`there is another storage at "${mountPoint}", ${known.driver} "${known.source}"`);
    known.users += 1;
    return known;
  }
  const undo = new UndoStack();
  const made: Mounted = { key, driver, source, users: 1, undo, ready: mountNew(storage, undo) };
  mounted.set(key, made);
  made.ready.catch(() => {
    if (mounted.get(key) === made) mounted.delete(key);
  });
  return made;
}

async function leave(storage: Mounted): Promise<void> {
  storage.users -= 1;
  if (storage.users > 0 || mounted.get(storage.key) !== storage) return;
  mounted.delete(storage.key);
  await storage.undo.run();
}

/**
 * Mounts storages in their order, for an owner. A storage that another owner has is shared.
 *
 * @throws TtrpcError for one that is not described well; Error naming the one that cannot be mounted. Then none is left
 */
export async function addStorages(storages: readonly Storage[], owner: StorageOwner): Promise<void> {
  if (storages.length > MAX_STORAGES)
    throw badStorage(`${storages.length} storages are more than ${MAX_STORAGES}`);
  const added: Mounted[] = [];
  try {
    for (const storage of storages) {
      const one = begin(storage);
      added.push(one);
      await one.ready;
    }
  } catch (error) {
    for (const one of added.reverse()) await leave(one);
    throw error;
  }
  owned.set(owner, [...(owned.get(owner) ?? []), ...added]);
}

/** Releases all storages of an owner, the last first. What cannot be unmounted is told in the log. */
export async function releaseStorages(owner: StorageOwner): Promise<void> {
  const storages = owned.get(owner) ?? [];
  owned.delete(owner);
  for (const storage of storages.reverse()) await leave(storage);
}
