import { checkId } from "../config/ids.ts";
import { withDeadline } from "../deadline.ts";
import { HuskError } from "../errors/index.ts";
import { waitForShim } from "../shim/tell-shim.ts";
import { checkState } from "../state-machine.ts";
import type { CallOptions } from "../types/index.ts";
import { Call } from "./call.ts";
import { withSessionOf } from "./container-process.ts";
import type { OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";
import { orphansOf } from "./shim-exits.ts";
import { freshPod } from "./status-pod.ts";

/** What `waitContainer` returns. */
export interface ContainerExit {
  /** exit status of the container's first process, 128+signal when a signal ended it; undefined: nobody knows */
  readonly exitCode: number | undefined;
}

/**
 * Waits until a container that was started has ended; at once when it has. It may be started anew before this is told.
 * Ours alone.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID for one that was never started,
 *   ERR_AGENT_DISCONNECTED, ERR_ABORTED
 */
export async function waitContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<ContainerExit> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  for (;;) {
    const pod = await freshPod(podId, call);
    const { record } = pod.container(containerId);
    if (record.state === "stopped") return { exitCode: record.exitCode };
    checkState({ podId, containerId }, record.state, ["running", "paused"], "to be waited for");
    if (!record.ownShim) await hearOfEnd(pod, containerId);
    else if (orphansOf(pod.record).includes(containerId)) throw orphaned(podId, containerId);
    else await waitForShim(pod.directory.attachSocket(containerId), { signal: call.signal });
  }
}

/** Without a shim, the agent tells. Settles also when the connection to it has ended. */
async function hearOfEnd({ id, call }: OpenPod, containerId: string): Promise<void> {
  const ended = await withSessionOf(id, call, async (pod) => {
    await needSession(pod);
    return { promise: Promise.race([pod.live.exited(containerId), pod.live.sessionEnded()]) };
  });
  const ms = Number.POSITIVE_INFINITY;
  await withDeadline(ended.promise, { ms, signal: call.signal, what: `container "${containerId}" to end` });
}

/** What the next call could not repair either. */
function orphaned(podId: string, containerId: string): HuskError {
  const text = `the shim of container "${containerId}" has died, and its guest cannot be asked how it is`;
  return new HuskError("ERR_AGENT_DISCONNECTED", text, { podId, containerId });
}
