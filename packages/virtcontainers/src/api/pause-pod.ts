import { checkMove, checkState } from "../state-machine.ts";
import type { CallOptions, VCPod } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { podHandle } from "./handles.ts";
import { markRunState, observeRunState } from "./run-state.ts";

/**
 * Pauses a running pod: its VM is frozen as it is, and with it all containers that run. Go: `PausePod`.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_STATE_INVALID, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export async function pausePod(podId: string, options: CallOptions = {}): Promise<VCPod> {
  return changePod(podId, new Call(options), async (pod) => {
    const { hypervisor, record, directory, call } = pod;
    checkMove({ podId }, pod.state, "paused");
    await using undo = new UndoStack();
    pod.keepForUndo(undo);
    undo.push(() => hypervisor.resumePod(directory, {}));
    // Stored first: a pod that was left between the two is resumed without harm, running or not.
    markRunState(record, "paused");
    pod.save();
    await hypervisor.pausePod(directory, call);
    call.mark("vm-paused");
    undo.commit();
    return podHandle(pod);
  });
}

/**
 * Resumes a paused pod: the containers that were paused with it go on. Go: `ResumePod`.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_STATE_INVALID, ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
 */
export async function resumePod(podId: string, options: CallOptions = {}): Promise<VCPod> {
  return changePod(podId, new Call(options), async (pod) => {
    const { hypervisor, record, directory, call } = pod;
    if (pod.state === "running") await observeRunState(pod);
    checkState({ podId }, pod.state, ["paused"], "to be resumed");
    await hypervisor.resumePod(directory, call);
    call.mark("vm-resumed");
    markRunState(record, "running");
    pod.save();
    return podHandle(pod);
  });
}
