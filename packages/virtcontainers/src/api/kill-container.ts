import { checkId } from "../config/ids.ts";
import { HuskError } from "../errors/index.ts";
import { checkMove, checkState } from "../state-machine.ts";
import type { ContainerRecord } from "../store/pod-record.ts";
import type { CallOptions } from "../types/index.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { withSessionOf } from "./container-process.ts";
import { markStopped } from "./mark-stopped.ts";
import { lookAtPod, type OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";
import { signalNumber } from "./signal-number.ts";

const SIGKILL = 9;
const SIGTERM = 15;
/** Exit status of a process ended by a signal is 128 more. */
const SIGNAL_BASE = 128;

/**
 * Sends a signal to a container's first process, or to all its processes. A container that has not been started is stopped by
 * SIGTERM and SIGKILL. Go: `KillContainer`.
 * @param signal number or name; 0 asks only whether there is the container
 * @param all whether all processes are meant
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_CONFIG_INVALID, ERR_VM_LOST
 */
export async function killContainer(
  podId: string,
  containerId: string,
  signal: number | NodeJS.Signals,
  all = false,
  options: CallOptions = {},
): Promise<void> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  const number = signalNumber(signal);
  const pod = lookAtPod(podId, call);
  if (isUnmade(pod.container(containerId).record)) {
    return changePod(podId, call, async (locked) => killUnstarted(locked, containerId, number));
  }
  await withSessionOf(podId, call, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["ready", "running"], "to signal a container in it");
    // One that is paused is ended by SIGKILL at once, and takes other signals when it goes on.
    const hasProcess = record.prepared ? (["ready"] as const) : (["running", "paused"] as const);
    checkState({ podId, containerId }, record.state, hasProcess, "to be signalled");
    const session = await needSession(pod);
    if (await session.killContainer(containerId, number, { signal: call.signal, all })) return;
    const text = `container "${containerId}" of pod "${podId}" has ended`;
    throw new HuskError("ERR_STATE_INVALID", text, { podId, containerId });
  });
}

/** Whether there is nothing of a container in the guest yet. */
function isUnmade({ state, prepared }: ContainerRecord): boolean {
  return state === "ready" && prepared === undefined;
}

/** A container that is not started has no process yet; what would have ended one stops it. */
function killUnstarted(pod: OpenPod, containerId: string, signal: number): void {
  const { record } = pod.container(containerId);
  const subject = { podId: pod.id, containerId };
  checkState({ podId: pod.id }, pod.state, ["ready", "running"], "to signal a container in it");
  checkState(subject, record.state, ["ready"], "to be signalled before its start");
  if (signal === 0) return;
  if (signal !== SIGTERM && signal !== SIGKILL) {
    const text = `container "${containerId}" of pod "${pod.id}" is ready; only SIGTERM and SIGKILL mean something to it`;
    throw new HuskError("ERR_STATE_INVALID", text, subject);
  }
  checkMove(subject, record.state, "stopped");
  markStopped(record, SIGNAL_BASE + signal);
  pod.save();
}
