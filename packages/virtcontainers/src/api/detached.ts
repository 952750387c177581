import { isShimProgram } from "../config/resident-programs.ts";
import { HuskError, systemCode } from "../errors/index.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import { AttachConnection } from "../output/attach-connection.ts";
import type { OpenPod } from "./open-pod.ts";

/**
 * Checks that a container's first process has a shim with a log, and nobody's descriptors are tied to it.
 * @throws HuskError ERR_NOT_DETACHED
 */
export function checkDetached(pod: OpenPod, containerId: string, what: string): void {
  const { detach, console } = pod.container(containerId).config.cmd;
  if (isShimProgram(pod.record.config) && detach && !console) return;
  const text = `container "${containerId}" of pod "${pod.id}" was not started detached: ${what}`;
  throw new HuskError("ERR_NOT_DETACHED", text, { podId: pod.id, containerId });
}

/**
 * Connects to the shim of a container's first process.
 * @returns undefined when there is none, or none any more
 * @throws HuskError ERR_SHIM_LOST, ERR_TIMEOUT, ERR_ABORTED
 */
export async function connectShim(pod: OpenPod, containerId: string): Promise<AttachConnection | undefined> {
  const timeoutMs = deadlineMs("shim", pod.hypervisor.deadlineFactor);
  try {
    return await AttachConnection.open(pod.directory.attachSocket(containerId), {
      timeoutMs,
      signal: pod.call.signal,
    });
  } catch (error) {
    if (["ENOENT", "ECONNREFUSED"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}
