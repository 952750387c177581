import { isHuskError } from "../errors/index.ts";
import { checkMove, checkState } from "../state-machine.ts";
import type { CallOptions, VCContainer } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { needControl } from "./container-control.ts";
import { containerHandle } from "./handles.ts";
import type { OpenPod } from "./open-pod.ts";
import { withContainer } from "./with-container.ts";

/**
 * Pauses a container of a running pod: all its processes stand still, the others go on. It can be stopped and killed. When its pod
 * is paused and resumed, it stays paused. Ours alone; Kata: `PauseContainer`.
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_NOT_SUPPORTED for an agent that cannot, ERR_AGENT_REFUSED,
 *   ERR_VM_LOST
 */
export async function pauseContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<VCContainer> {
  return withContainer(podId, containerId, options, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["running"], "to pause a container in it");
    checkMove({ podId, containerId }, record.state, "paused");
    const control = await needControl(pod);
    await using undo = new UndoStack();
    undo.push(async () => {
      // When even this gets no answer, it may be paused: it stays so until it is resumed.
      await control.resumeContainer(containerId, {}).catch(ignoreRefusal);
      record.state = "running";
      delete record.pausedAlone;
      pod.save();
    });
    // Stored first: a container that was left between the two is resumed without harm, running or not.
    record.state = "paused";
    record.pausedAlone = true;
    pod.save();
    await control.pauseContainer(containerId, { signal: pod.call.signal });
    pod.call.mark("container-paused");
    undo.commit();
    return containerHandle(pod, containerId);
  });
}

/**
 * Lets a container go on that was paused by itself. Ours alone; Kata: `ResumeContainer`.
 * @throws HuskError as `pauseContainer`
 */
export async function resumeContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<VCContainer> {
  return withContainer(podId, containerId, options, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["running"], "to resume a container in it");
    checkState({ podId, containerId }, record.state, ["paused"], "to be resumed");
    await goOn(pod, containerId);
    return containerHandle(pod, containerId);
  });
}

/** An agent that refuses to resume a container has not paused it. */
function ignoreRefusal(error: unknown): void {
  const isRefused = isHuskError(error, "ERR_AGENT_REFUSED") || isHuskError(error, "ERR_NOT_SUPPORTED");
  if (!isRefused) throw error;
}

/** Lets a paused container go on, and stores that it does. */
export async function goOn(pod: OpenPod, containerId: string): Promise<void> {
  const { record } = pod.container(containerId);
  const control = await needControl(pod);
  await control.resumeContainer(containerId, { signal: pod.call.signal });
  record.state = "running";
  delete record.pausedAlone;
  pod.save();
  pod.call.mark("container-resumed");
}
