import type { CallOptions, VCPod } from "../types/index.ts";
import { Call } from "./call.ts";
import { podHandle } from "./handles.ts";
import { forgetLivePod } from "./live-pod.ts";
import { withPod } from "./open-pod.ts";
import { stopVm } from "./stop-pod.ts";

/**
 * Deletes a pod with all its containers, and stops it before if it runs. The handle tells what it was.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_TIMEOUT when QEMU cannot even be killed
 */
export async function deletePod(podId: string, options: CallOptions = {}): Promise<VCPod> {
  return withPod(podId, new Call(options), "exclusive", async (pod) => {
    if (pod.state !== "stopped" || pod.hypervisor.vm) await stopVm(pod);
    const handle = podHandle(pod);
    pod.directory.remove();
    forgetLivePod(pod.call.root, podId);
    return handle;
  });
}
