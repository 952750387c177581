import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ID_PATTERN } from "../config/ids.ts";
import { HuskError, isHuskError, messageOf, systemCode } from "../errors/index.ts";
import { deadlineFactor } from "../hypervisor/deadlines.ts";
import { releaseNetwork } from "../network/release.ts";
import type { SiteOptions } from "../network/site.ts";
import { FileLock, lockDescriptor, lockFile, openLockFile } from "./flock.ts";
import { chooseSocketDirectory, PodDirectory, podPath, podsDirectory } from "./pod-directory.ts";
import { type PodRecord, parseRecord, readRecord, writeRecord } from "./pod-record.ts";
import { findPodProcesses, identifyProcess, isProcessAlive, killProcess } from "./process-identity.ts";

const STAGING_NAME = /^\.new-(\d+)-(\d+)-[0-9a-f]+$/;
const GRAVE_NAME = /^\.gone-[0-9a-f]+$/;

/** A pod's directory while it is made, out of sight of other callers. */
export interface Staging {
  readonly directory: PodDirectory;
  /** lock of the pod, its file open and not locked yet */
  readonly lock: FileLock;
}

function storeError(what: string, error: unknown): HuskError {
  return new HuskError("ERR_STORE", `${what}: ${messageOf(error)}`, { cause: error });
}

/**
 * Makes the directory of a new pod under a hidden name that tells its maker, so that others can see when it is a dead
 * one's.
 * @throws HuskError ERR_STORE
 */
export function makeStaging(root: string): Staging {
  const pods = podsDirectory(root);
  const me = identifyProcess(process.pid);
  const suffix = randomBytes(4).toString("hex");
  const path = join(pods, `.new-${process.pid}-${me?.startTime ?? 0}-${suffix}`);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    // The pod's final path is not longer than the longest id, which decides where the sockets are.
    const directory = new PodDirectory(path, chooseSocketDirectory(join(pods, "x".repeat(64))));
    return { directory, lock: new FileLock(openLockFile(directory.file("lock"))) };
  } catch (error) {
    rmSync(path, { recursive: true, force: true });
    throw storeError(`cannot make a directory for the pod in ${pods}`, error);
  }
}

/** Removes a staging directory that is not needed any more; its lock file must be closed by its owner. */
export function discardStaging(directory: PodDirectory): void {
  // The record, which names the sockets' directory, goes last.
  if (directory.socketPath !== directory.path) rmSync(directory.socketPath, { recursive: true, force: true });
  rmSync(directory.path, { recursive: true, force: true });
}

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
    killByRecord(record);
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

/** Kills the VM of a record; what was not noted before its creator died is found by the uuid. */
export function killByRecord(record: PodRecord): void {
  if (record.vm) killProcess(record.vm);
  for (const found of findPodProcesses(record.uuid)) killProcess(found);
}

/** Removes what dead callers left of pods: half made ones with their VMs, half removed ones. */
export async function clearLeftovers(root: string): Promise<void> {
  const pods = podsDirectory(root);
  for (const name of readdirSync(pods)) {
    const [, pid, startTime] = STAGING_NAME.exec(name) ?? [];
    const path = join(pods, name);
    if (ID_PATTERN.test(name)) await clearOthers(() => clearLeftover(root, name));
    else if (pid && startTime && !isProcessAlive({ pid: Number(pid), startTime })) await clearHidden(path);
    else if (GRAVE_NAME.test(name)) await clearHidden(path);
  }
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
 */
async function clearHidden(path: string): Promise<void> {
  const directory = new PodDirectory(path);
  try {
    const text = readFileSync(directory.file("record"), "utf8");
    const record = parseRecord(text, path, JSON.parse(text).config.id);
    killByRecord(record);
    await releaseNetwork(record, releaseOptions(directory, record));
    discardStaging(new PodDirectory(path, record.socketDirectory));
  } catch (error) {
    if (systemCode(error) === "ENOENT") discardStaging(directory);
  }
}
