import type { ContainerPreparation } from "../agent/types.ts";
import { anySignal } from "../deadline.ts";
import { HuskError } from "../errors/index.ts";
import { checkState } from "../state-machine.ts";
import type { CallOptions, VCContainer } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { needPreparation } from "./container-preparation.ts";
import { containerHandle } from "./handles.ts";
import type { OpenPod } from "./open-pod.ts";
import { carrierOfFirst } from "./shim-of-container.ts";
import { endStarted, toContainerError } from "./start-pod.ts";
import { withContainer } from "./with-container.ts";

/**
 * Makes a container that is ready in its pod's guest, and starts its shim, which gets this process's streams and a session of its
 * own. The container's first process waits: `startContainer` or `startPod` lets it begin. This process may end before. These are
 * the two steps `create` and `start` of the OCI runtime specification. For pods with the Kata agent and a shim that is a
 * program. Ours alone.
 * @returns the container, whose `getPid` is its shim, which ends with it
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_NOT_SUPPORTED, ERR_AGENT_REFUSED, ERR_PROGRAM_NOT_FOUND,
 *   ERR_SHIM_START, ERR_VM_LOST
 */
export async function prepareContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<VCContainer> {
  return withContainer(podId, containerId, options, async (pod) => {
    const { record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["ready", "running"], "to prepare a container in it");
    checkState({ podId, containerId }, record.state, ["ready"], "to be prepared");
    if (record.prepared) {
      const text = `container "${containerId}" of pod "${podId}" is prepared already`;
      throw new HuskError("ERR_STATE_INVALID", text, { podId, containerId });
    }
    const preparation = await needPreparation(pod);
    await using undo = new UndoStack();
    pod.keepForUndo(undo);
    record.prepared = "unsettled";
    pod.announceChange();
    await prepare(pod, containerId, preparation, undo);
    record.prepared = "waiting";
    pod.save();
    undo.commit();
    return containerHandle(pod, containerId);
  });
}

async function prepare(
  pod: OpenPod,
  containerId: string,
  preparation: ContainerPreparation,
  undo: UndoStack,
): Promise<void> {
  const { config, record } = pod.container(containerId);
  const { storage } = record;
  if (!storage) throw new Error(`container ${containerId} has nothing to start from`);
  const io = pod.live.takeProcess(containerId, config.cmd.interactive === true);
  undo.push(() => endStarted(pod, containerId));
  const { carrier, failed, begin } = carrierOfFirst(pod, containerId, io, undo, { ownSession: true });
  try {
    if (!("startShim" in carrier)) throw new Error("the container has no shim");
    const { dns } = pod.record.network ?? {};
    const signal = anySignal(pod.call.signal, failed);
    await preparation.prepareContainer({ config, storage, dns }, carrier, { signal });
    await begin();
  } catch (error) {
    const told = toContainerError(failed.aborted ? failed.reason : error, pod.id, containerId);
    io.fail(told);
    throw told;
  }
  pod.call.mark("container-prepared");
}
