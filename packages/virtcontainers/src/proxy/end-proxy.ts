import { readFileSync, readlinkSync } from "node:fs";
import { isHuskError, systemCode } from "../errors/index.ts";
import { lockFile, waitForHolders } from "../store/flock.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { PodRecord } from "../store/pod-record.ts";
import {
  findPodProcesses,
  identifyProcess,
  isPodProcess,
  killProcess,
  type ProcessIdentity,
} from "../store/process-identity.ts";
import { createProxy } from "./index.ts";

/** Longest text read as a process id. */
const MAX_PID_DIGITS = 10;

/** Whether a pod has a proxy that lives: one that holds its lock. */
export async function isProxyAlive(directory: PodDirectory): Promise<boolean> {
  try {
    const lock = await lockFile(directory.file("proxyLock"), { mode: "shared", wait: false });
    lock?.release();
    return lock === undefined;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** The process of a pod's proxy, as its lock file tells; undefined: there is none, or it has not told yet. */
export function proxyProcess(directory: PodDirectory, uuid: string): ProcessIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(directory.file("proxyLock"), "latin1").slice(0, MAX_PID_DIGITS).trim();
  } catch {
    return undefined;
  }
  // The number may be a dead one's, and another process's by now.
  const pid = /^[1-9]\d*$/.test(text) ? Number(text) : undefined;
  const identity = pid === undefined ? undefined : identifyProcess(pid);
  return identity && isPodProcess(identity.pid, uuid) ? identity : undefined;
}

/**
 * Ends a pod's proxy: asks it to, kills it when it does not, and returns when it has gone.
 * @param timeoutMs how long each of the two may take
 * @throws HuskError ERR_TIMEOUT when it cannot even be killed
 */
export async function endProxy(
  { config, uuid }: PodRecord,
  directory: PodDirectory,
  timeoutMs: number,
): Promise<void> {
  if (!(await isProxyAlive(directory))) return;
  // One that does not even answer is ended by other means.
  await createProxy(config)
    .letGo?.({ podId: config.id, directory }, timeoutMs)
    .catch(() => {});
  const gone = () =>
    waitForHolders(directory.file("proxyLock"), { timeoutMs, what: "the pod's proxy to end" });
  const identity = proxyProcess(directory, uuid);
  if (identity) {
    killProcess(identity, "SIGTERM");
    try {
      return await gone();
    } catch (error) {
      if (!isHuskError(error, "ERR_TIMEOUT")) throw error;
    }
  }
  for (const found of identity ? [identity] : findLockHolders(directory, uuid)) killProcess(found);
  await gone();
}

/** One that has not told its number is found by the descriptor of its lock. */
function findLockHolders(directory: PodDirectory, uuid: string): ProcessIdentity[] {
  const path = directory.file("proxyLock");
  return findPodProcesses(uuid).filter(({ pid }) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/3`) === path;
    } catch {
      return false;
    }
  });
}
