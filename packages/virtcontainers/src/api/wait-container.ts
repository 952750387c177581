import { setTimeout as delay } from "node:timers/promises";
import { checkId } from "../config/ids.ts";
import { abortError } from "../deadline.ts";
import { HuskError, isHuskError } from "../errors/index.ts";
import type { CallOptions, ProcessExit } from "../types/index.ts";
import { Call } from "./call.ts";
import { withSessionOf } from "./container-process.ts";
import { connectShim } from "./detached.ts";
import type { OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";
import { freshPod } from "./status-pod.ts";

/** Times that a shim may be lost, and brought back, during one wait. */
const MAX_LOSSES = 10;
/** Milliseconds between the first loss and the next look; each further pause is twice as long. */
const FIRST_PAUSE_MS = 5;

/**
 * Waits until the first process of a container has ended. One that ended before is told at once. Ours alone.
 * @returns its exit status
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID for one that was never started, ERR_VM_LOST when
 *   nobody knows how it ended, ERR_SHIM_LOST, ERR_ABORTED
 */
export async function waitContainer(
  podId: string,
  containerId: string,
  options: CallOptions = {},
): Promise<ProcessExit> {
  const call = new Call(options);
  checkId("pod", podId);
  checkId("container", containerId);
  for (let losses = 0; losses < MAX_LOSSES; ) {
    const pod = await freshPod(podId, call);
    const { record } = pod.container(containerId);
    const subject = { podId, containerId };
    if (record.state === "stopped") {
      if (record.exitCode !== undefined) return { exitCode: record.exitCode };
      const text = `container "${containerId}" of pod "${podId}" is stopped, and nobody has seen how it ended`;
      throw new HuskError("ERR_VM_LOST", text, subject);
    }
    if (record.state === "ready") {
      const text = `container "${containerId}" of pod "${podId}" is ready; there is nothing to wait for until it is started`;
      throw new HuskError("ERR_STATE_INVALID", text, subject);
    }
    const hasShim = record.ownShim !== undefined;
    const exit = hasShim ? await waitForShim(pod, containerId) : await waitForAgent(podId, containerId, call);
    if (exit) return exit;
    // One that is just being brought back, or whose VM is just ending, is given the time to show it.
    if (hasShim)
      await delay(FIRST_PAUSE_MS * 2 ** losses++, undefined, { signal: call.signal }).catch(() => {});
  }
  const text = `the shim of container "${containerId}" of pod "${podId}" was lost ${MAX_LOSSES} times`;
  throw new HuskError("ERR_SHIM_LOST", text, { podId, containerId });
}

/** Its shim tells; undefined: it has gone without telling, or says that nobody knows. */
async function waitForShim(pod: OpenPod, containerId: string): Promise<ProcessExit | undefined> {
  const { signal } = pod.call;
  const connection = await connectShim(pod, containerId).catch(ignoreLoss);
  if (!connection) return undefined;
  const onAbort = () => connection.close();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const record = await connection.ended();
    if (signal?.aborted) throw abortError(signal);
    return record && "exitCode" in record ? { exitCode: record.exitCode } : undefined;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    connection.close();
  }
}

/** A shim that ends just as it is connected to has nothing more to say. */
function ignoreLoss(error: unknown): undefined {
  if (!isHuskError(error, "ERR_SHIM_LOST")) throw error;
}

/** The agent tells; the process that holds its channels hears it, and we with it. */
async function waitForAgent(
  podId: string,
  containerId: string,
  call: Call,
): Promise<ProcessExit | undefined> {
  const live = await withSessionOf(podId, call, async (pod) => {
    await needSession(pod);
    return pod.live;
  });
  await live.exitedOrClosed(containerId, call.signal);
  const exitCode = live.exits.get(containerId);
  return exitCode === undefined ? undefined : { exitCode };
}
