import type { ExitRecord } from "@husk/wire/attach";
import { checkId } from "../config/ids.ts";
import { HuskError } from "../errors/index.ts";
import { AttachedProcess } from "../output/attached-process.ts";
import { checkState } from "../state-machine.ts";
import type { AttachedContainer, CallOptions, ProcessExit } from "../types/index.ts";
import { Call } from "./call.ts";
import { checkDetached, connectShim } from "./detached.ts";
import { freshPod } from "./status-pod.ts";

/**
 * Attaches to the first process of a detached container that runs: to its output from now on, and to its input if that is open.
 * Ours alone.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_CONTAINER_NOT_FOUND, ERR_NOT_DETACHED, ERR_STATE_INVALID for one that does not run,
 *   ERR_SHIM_LOST, ERR_TIMEOUT, ERR_ABORTED
 */
export async function attachContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<AttachedContainer> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  const pod = await freshPod(podId, call);
  checkDetached(pod, containerId, "nobody can attach to it");
  const subject = { podId, containerId };
  const { state } = pod.container(containerId).record;
  checkState(subject, state, ["running", "paused"], "to be attached to");
  const connection = await connectShim(pod, containerId);
  if (!connection) {
    const text = `container "${containerId}" of pod "${podId}" has ended just now, or its shim has`;
    throw new HuskError("ERR_SHIM_LOST", text, subject);
  }
  const explain = (record: ExitRecord | undefined) => explainEnd(podId, containerId, call, record);
  return new AttachedProcess(connection, await connection.hello(), explain);
}

/** How a process ended, or why its shim does not tell. */
async function explainEnd(
  podId: string,
  containerId: string,
  call: Call,
  record: ExitRecord | undefined,
): Promise<ProcessExit> {
  const subject = { podId, containerId };
  if (record && "lost" in record) {
    const text = `nobody has seen how container "${containerId}" of pod "${podId}" ended: ${record.lost}`;
    throw new HuskError("ERR_VM_LOST", text, subject);
  }
  const pod = await freshPod(podId, call.again());
  const { state, exitCode } = pod.container(containerId).record;
  if (state === "stopped" && exitCode !== undefined) return { exitCode };
  const text = `the shim of container "${containerId}" of pod "${podId}", which is ${state}, has closed the connection`;
  throw new HuskError("ERR_SHIM_LOST", text, subject);
}
