import { deadlineMs } from "../hypervisor/deadlines.ts";
import { releaseNetwork } from "../network/release.ts";
import { giveProxyUp } from "../proxy/keep-proxy.ts";
import { checkState } from "../state-machine.ts";
import { endShares, hasAllShares } from "../storage/shares.ts";
import type { EndOptions, VCPod } from "../types/index.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { podHandle } from "./handles.ts";
import { markStopped } from "./mark-stopped.ts";
import { networkOptions } from "./network-options.ts";
import type { OpenPod } from "./open-pod.ts";
import { preparePostStop } from "./pod-hooks.ts";
import { drainShims, endResidents, residentsOf } from "./residents.ts";
import { observeRunState } from "./run-state.ts";
import { openSession } from "./session.ts";
import { noteShimExits } from "./shim-exits.ts";

/**
 * Stops a pod: ends its containers in order, and the VM. One that is paused goes on for that. A pod that is stopped already
 * stays so, without an error. Go: `StopPod`.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_STATE_INVALID with `ifEnded`, ERR_TIMEOUT when QEMU cannot even be killed
 */
export async function stopPod(podId: string, options: EndOptions = {}): Promise<VCPod> {
  const call = new Call(options, ["ifEnded"]);
  return changePod(podId, call, async (pod) => {
    if (options.ifEnded) checkAllEnded(pod);
    await stopVm(pod);
    return podHandle(pod);
  });
}

/** @throws HuskError ERR_STATE_INVALID when a container runs, or has never been started */
export function checkAllEnded(pod: OpenPod): void {
  for (const { id: containerId } of pod.containers) {
    checkState(
      { podId: pod.id, containerId },
      pod.container(containerId).record.state,
      ["stopped"],
      "for that",
    );
  }
}

/** Ends the VM of a pod, stores that it is stopped, and runs the hooks for that. */
export async function stopVm(pod: OpenPod): Promise<void> {
  const { hypervisor, record, directory, call, live } = pod;
  await using postStop = await preparePostStop(pod);
  if (hypervisor.vm) {
    await observeRunState(pod);
    // A guest that has lost a share hangs in it, and would not be done in time.
    if (hasAllShares(record)) await askToEnd(pod);
    // From now on nobody starts a proxy that has nothing to go to.
    giveProxyUp(directory);
    // The plug is pulled only when the guest has not gone by itself.
    await hypervisor.stopPod(directory);
    call.mark("vm-ended");
  }
  await endResidents(residentsOf(pod));
  await endShares(record, directory);
  live.session?.close();
  directory.removeSockets();
  delete record.vm;
  record.state = "stopped";
  noteShimExits(record, directory, live);
  for (const [id, container] of Object.entries(record.containers)) {
    if (container.state !== "stopped") markStopped(container, live.exits.get(id));
    delete container.ownShim;
  }
  pod.save();
  await postStop.run();
  // Last: what cannot be undone of it fails the call, and the next call tries again.
  await releaseNetwork(record, networkOptions(pod));
  call.mark("network-released");
}

/** Asks the guest to end everything and to power off. A guest that cannot or will not is not waited for any longer. */
async function askToEnd(pod: OpenPod): Promise<void> {
  const { hypervisor, directory, call, record } = pod;
  try {
    // Pulling the plug on a frozen guest would lose what it has not yet written to its disks and shares.
    if (record.state === "paused") await hypervisor.resumePod(directory, call);
    const session = await openSession(pod);
    const isGoing = await session?.stopPod({ signal: call.signal });
    call.mark("pod-destroyed");
    await drainShims(residentsOf(pod));
    if (isGoing === false) return;
    await hypervisor.waitExit(directory, { timeoutMs: deadlineMs("exit", hypervisor.deadlineFactor) });
  } catch {
    // Whatever the reason, the plug can be pulled.
  }
}
