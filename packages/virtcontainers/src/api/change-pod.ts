import { isShimProgram } from "../config/resident-programs.ts";
import { isHuskError } from "../errors/index.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import { killByRecord } from "../store/claim.ts";
import { lockFile } from "../store/flock.ts";
import type { Call } from "./call.ts";
import { limitAgain } from "./container-control.ts";
import { noteSize } from "./grow-vm.ts";
import { type OpenPod, withPod } from "./open-pod.ts";
import { endOrphan, repairShims, settleShim } from "./repair-shims.ts";
import { needSession } from "./session.ts";
import { takeOutUnsettled } from "./unsettled-interfaces.ts";

/**
 * Changes a pod while holding its lock. What a caller that died in the middle of a change has left is settled before.
 * @throws HuskError as `withPod`
 */
export async function changePod<T>(
  podId: string,
  call: Call,
  action: (pod: OpenPod) => Promise<T>,
): Promise<T> {
  return withPod(podId, call, "exclusive", async (pod) => {
    // The guest of a paused VM cannot tell.
    if (pod.record.pending && pod.state !== "paused") await settle(pod);
    await repairShims(pod);
    return action(pod);
  });
}

/**
 * Finds out what came of a change whose outcome was not stored: a VM that was started and not noted is ended, a container
 * that was started and not noted is noted, and so is what was plugged in; limits are set as they are stored.
 */
async function settle(pod: OpenPod): Promise<void> {
  if (pod.hypervisor.vm) {
    try {
      await noteStarted(pod);
      await takeOutUnsettled(pod);
      await noteSize(pod);
      await limitAgain(pod);
    } catch (error) {
      // An agent that does not answer must not keep the pod from being stopped; the next call asks again.
      if (isHuskError(error) && error.code !== "ERR_ABORTED") return;
      throw error;
    }
  } else {
    killByRecord(pod.record);
    const timeoutMs = deadlineMs("exit", pod.hypervisor.deadlineFactor);
    const ended = await lockFile(pod.directory.file("vmLock"), { mode: "shared", timeoutMs });
    ended?.release();
  }
  delete pod.record.pending;
  pod.save();
}

async function noteStarted(pod: OpenPod): Promise<void> {
  const { live, call } = pod;
  const session = await needSession(pod);
  for (const [containerId, container] of Object.entries(pod.record.containers)) {
    if (container.prepared === "unsettled") await endOrphan(pod, containerId);
    if (container.state === "running" || container.state === "paused" || container.prepared) continue;
    if (!(await session.isRunning(containerId, { signal: call.signal }))) continue;
    live.exits.delete(containerId);
    delete container.exitCode;
    container.state = "running";
    container.startTime = new Date().toISOString();
    if (isShimProgram(pod.record.config)) await settleShim(pod, containerId);
  }
}
