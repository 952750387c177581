import { isHuskError } from "../errors/index.ts";
import { clearLeftover } from "../store/claim.ts";
import type { EndOptions, VCPod } from "../types/index.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { podHandle } from "./handles.ts";
import { forgetLivePod } from "./live-pod.ts";
import type { OpenPod } from "./open-pod.ts";
import { endResidents, residentsOf } from "./residents.ts";
import { checkAllEnded, stopVm } from "./stop-pod.ts";

/**
 * Deletes a pod with all its containers, and stops it before if it runs. The handle tells what it was. Go: `DeletePod`.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_STATE_INVALID with `ifEnded`, ERR_TIMEOUT when QEMU cannot even be killed
 */
export async function deletePod(podId: string, options: EndOptions = {}): Promise<VCPod> {
  const call = new Call(options, ["ifEnded"]);
  try {
    return await changePod(podId, call, async (pod) => {
      if (options.ifEnded) checkAllEnded(pod);
      return await remove(pod);
    });
  } catch (error) {
    // One whose creator died is no pod, but its leftovers are to go all the same.
    if (isHuskError(error, "ERR_POD_NOT_FOUND")) await clearLeftover(call.root, podId);
    throw error;
  }
}

async function remove(pod: OpenPod): Promise<VCPod> {
  const { postStopDue, network } = pod.record;
  if (pod.state !== "stopped" || pod.hypervisor.vm || postStopDue || network) await stopVm(pod);
  else await endResidents(residentsOf(pod));
  const handle = podHandle(pod);
  pod.directory.remove();
  await forgetLivePod(pod.call.root, pod.id);
  pod.call.mark("removed");
  return handle;
}
