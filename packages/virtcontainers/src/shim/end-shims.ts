import { isHuskError } from "../errors/index.ts";
import { waitForHolders } from "../store/flock.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import {
  argumentsOf,
  findPodProcesses,
  isProcessAlive,
  killProcess,
  type ProcessIdentity,
} from "../store/process-identity.ts";

/** Shims of a pod: processes of the pod that were told how its proxy is brought back. */
function findShims(directory: PodDirectory, uuid: string): ProcessIdentity[] {
  const mark = directory.file("proxyCommand");
  return findPodProcesses(uuid).filter(({ pid }) => argumentsOf(pid).includes(mark));
}

/**
 * Waits for the shims of a pod, which end when their processes have ended or cannot be reached any more.
 * @throws HuskError ERR_TIMEOUT, ERR_ABORTED
 */
export function waitForShims(
  directory: PodDirectory,
  limits: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  return waitForHolders(directory.file("shimLock"), { ...limits, what: "the pod's shims to end" });
}

/**
 * Ends the shims of a pod whose VM has gone: those that do not end by themselves are killed.
 * @throws HuskError ERR_TIMEOUT when one cannot even be killed
 */
export async function endShims(directory: PodDirectory, uuid: string, timeoutMs: number): Promise<void> {
  try {
    await waitForShims(directory, { timeoutMs });
  } catch (error) {
    if (!isHuskError(error, "ERR_TIMEOUT")) throw error;
    const shims = findShims(directory, uuid);
    for (const shim of shims) killProcess(shim);
    // A process that a shim has started may hold the lock on: it is none of the pod's.
    if (shims.length > 0) await waitForShims(directory, { timeoutMs }).catch(throwIfAlive(shims));
  }
}

function throwIfAlive(shims: readonly ProcessIdentity[]) {
  return (error: unknown) => {
    if (shims.some(isProcessAlive)) throw error;
  };
}

/** A shim that was started and not noted, because its caller died; undefined: there is none. */
export function findShimOf(
  directory: PodDirectory,
  uuid: string,
  exitFile: string,
): { identity: ProcessIdentity; args: string[] } | undefined {
  for (const identity of findShims(directory, uuid)) {
    const args = argumentsOf(identity.pid);
    if (args.includes(exitFile)) return { identity, args };
  }
  return undefined;
}
