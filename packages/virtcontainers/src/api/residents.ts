import { isProxyProgram, isShimProgram } from "../config/resident-programs.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import { endProxy } from "../proxy/end-proxy.ts";
import { giveProxyUp, startFirstProxy } from "../proxy/keep-proxy.ts";
import { endShims, waitForShims } from "../shim/end-shims.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { PodRecord } from "../store/pod-record.ts";
import type { UndoStack } from "../undo-stack.ts";
import type { Call } from "./call.ts";
import type { OpenPod } from "./open-pod.ts";

/** The programs that stay beside a VM: its proxy, and the shims of its processes. */
export interface ResidentsPlace {
  readonly record: PodRecord;
  readonly directory: PodDirectory;
  readonly deadlineFactor: number;
}

export function residentsOf({ record, directory, hypervisor }: OpenPod): ResidentsPlace {
  return { record, directory, deadlineFactor: hypervisor.deadlineFactor };
}

/**
 * Starts the proxy of a pod whose VM has just been started, if it has one that is a program.
 * @param isServing the VM's agent is not about to begin: it serves as soon as the VM goes on
 * @throws HuskError ERR_PROXY_START, ERR_STORE
 */
export async function startResidents(
  place: ResidentsPlace,
  call: Call,
  undo: UndoStack,
  isServing = false,
): Promise<void> {
  const { record, directory } = place;
  if (!isProxyProgram(record.config)) return;
  undo.push(() => endResidents(place));
  await startFirstProxy(record, directory, isServing);
  call.mark("proxy-started");
}

/** Gives the shims of containers that have just been ended time to pass on what is left of the output. */
export async function drainShims({ record, directory, deadlineFactor }: ResidentsPlace): Promise<void> {
  if (!isShimProgram(record.config)) return;
  // One whose reader is stuck must not hold the end of its pod up.
  const timeoutMs = deadlineMs("drain", deadlineFactor);
  await waitForShims(directory, { timeoutMs }).catch(() => {});
}

/**
 * Ends the shims and the proxy of a pod whose VM has ended. Shims end by themselves, and are killed when they do not.
 * @throws HuskError ERR_TIMEOUT when one cannot even be killed
 */
export async function endResidents({ record, directory, deadlineFactor }: ResidentsPlace): Promise<void> {
  const { config, uuid } = record;
  giveProxyUp(directory);
  const timeoutMs = deadlineMs("exit", deadlineFactor);
  if (isShimProgram(config)) await endShims(directory, uuid, deadlineMs("drain", deadlineFactor));
  if (isProxyProgram(config)) await endProxy(record, directory, timeoutMs);
}
