import { readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ID_PATTERN } from "../config/ids.ts";
import { HuskError, isHuskError, systemCode } from "../errors/index.ts";
import { deadlineFactor, deadlineMs } from "../hypervisor/deadlines.ts";
import { releaseNetwork } from "../network/release.ts";
import type { SiteOptions } from "../network/site.ts";
import { lockDescriptor, lockFile } from "./flock.ts";
import { PodDirectory, podPath, podsDirectory } from "./pod-directory.ts";
import { type PodRecord, parseRecord, readRecord, writeRecord } from "./pod-record.ts";
import {
  findPodProcesses,
  isProcessAlive,
  killProcess,
  type ProcessIdentity,
  waitForEnds,
} from "./process-identity.ts";
import { discardStaging, idIn, makerOf, type Staging, storeError } from "./staging.ts";

const GRAVE_NAME = /^\.gone-[0-9a-f]+$/;

/**
 * Gives a staged pod its name. Only one of several callers can succeed: rename(2) does not replace a directory that
 * holds something.
 * @throws HuskError ERR_POD_EXISTS, ERR_STORE
 */
export async function publishStaging(staging: Staging, root: string, podId: string): Promise<PodDirectory> {
  const path = podPath(root, podId);
  for (let attempt = 0; ; attempt++) {
    try {
      renameSync(staging.directory.path, path);
      break;
    } catch (error) {
      const code = systemCode(error);
      if (code !== "ENOTEMPTY" && code !== "EEXIST") throw storeError(`cannot make ${path}`, error);
      if (attempt === 2 || !(await clearLeftover(root, podId))) throw podExists(podId);
    }
  }
  const { socketPath } = staging.directory;
  return new PodDirectory(path, socketPath === staging.directory.path ? undefined : socketPath);
}

export function podExists(podId: string): HuskError {
  return new HuskError("ERR_POD_EXISTS", `a pod "${podId}" exists already`, { podId });
}

/** Locks a staged pod. Nobody else knows it, so that nothing is waited for. */
export async function lockStaging({ lock }: Staging): Promise<void> {
  if (await lockDescriptor(lock.fd, { mode: "exclusive", wait: false })) return;
  throw new HuskError("ERR_LOCK", "the lock of a new pod is held by another process");
}

/**
 * Removes a pod that was left half created by a caller that died, with its VM.
 * @returns whether the name is free now
 */
export async function clearLeftover(root: string, podId: string): Promise<boolean> {
  const path = podPath(root, podId);
  let record: PodRecord;
  try {
    record = readRecord(new PodDirectory(path).file("record"), podId);
  } catch (error) {
    // One that cannot be read is not ours to remove.
    return isHuskError(error, "ERR_POD_NOT_FOUND") && isGone(path);
  }
  if (record.state !== "creating" || isProcessAlive(record.creator)) return false;
  const directory = new PodDirectory(path, record.socketDirectory);
  try {
    const lock = await lockFile(directory.file("lock"), { mode: "exclusive", wait: false });
    if (!lock) return false;
    using _ = lock;
    await endForGood(record, directory);
    await releaseNetwork(record, releaseOptions(directory, record));
    directory.remove();
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    throw error;
  }
}

function isGone(path: string): boolean {
  try {
    readdirSync(path);
    return false;
  } catch (error) {
    return systemCode(error) === "ENOENT";
  }
}

/**
 * Kills the VM of a record, and what stays beside it; what was not noted before its creator died is found by the uuid. What
 * was started last goes first: shims do not see their proxy die, nor that its VM.
 * @returns what was killed, and may take a moment to end
 */
export function killByRecord({ uuid, vm }: PodRecord): ProcessIdentity[] {
  const processes = [...findPodProcesses(uuid).reverse(), ...(vm ? [vm] : [])];
  for (const found of processes) killProcess(found);
  return processes;
}

/**
 * The same, when its directory is to go as well, and waits for the end: no shim is to bring the proxy back meanwhile, and what is
 * released next is not to be in use.
 * @throws HuskError ERR_TIMEOUT
 */
async function endForGood(record: PodRecord, directory: PodDirectory): Promise<void> {
  rmSync(directory.file("proxyCommand"), { force: true });
  await waitForEnds(killByRecord(record), deadlineMs("exit", deadlineFactor("tcg")));
}

/**
 * Removes what dead callers left of pods: half made ones with their VMs, half removed ones.
 * @returns how many VMs that had waited to be taken went with their keeper
 */
export async function clearLeftovers(root: string): Promise<number> {
  const pods = podsDirectory(root);
  let waiting = 0;
  for (const name of readdirSync(pods)) {
    const maker = makerOf(name);
    const path = join(pods, name);
    if (ID_PATTERN.test(name)) await clearOthers(() => clearLeftover(root, name));
    else if (maker && !isProcessAlive(maker)) waiting += (await clearHidden(path)) ? 1 : 0;
    else if (GRAVE_NAME.test(name)) await clearHidden(path);
  }
  return waiting;
}

/** What cannot be cleared of another pod is no concern of this one: it stays, and the next call tries again. */
async function clearOthers(clear: () => Promise<unknown>): Promise<void> {
  try {
    await clear();
  } catch (error) {
    if (!isHuskError(error)) throw error;
  }
}

/** Nobody waits for what a dead caller has left; the deadlines are those of the slowest VM. */
function releaseOptions(directory: PodDirectory, record: PodRecord): SiteOptions {
  const save = () => writeRecord(directory.file("record"), record);
  return { save, deadlineFactor: deadlineFactor("tcg") };
}

/**
 * Removes a half made or half removed pod. Without a record it has nothing but its directory: whoever made it died before
 * the VM was there. One whose record cannot be read may belong to a newer husk, and stays.
 * @returns whether it was a VM that waited to be taken
 */
async function clearHidden(path: string): Promise<boolean> {
  const directory = new PodDirectory(path);
  try {
    const text = readFileSync(directory.file("record"), "utf8");
    const record = parseRecord(text, path, idIn(text));
    await endForGood(record, directory);
    await releaseNetwork(record, releaseOptions(directory, record));
    discardStaging(new PodDirectory(path, record.socketDirectory));
    return record.waiting !== undefined;
  } catch (error) {
    if (systemCode(error) === "ENOENT") discardStaging(directory);
    return false;
  }
}
