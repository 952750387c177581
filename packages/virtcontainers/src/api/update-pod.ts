import { checkVmResources } from "../config/resources-schema.ts";
import { HuskError } from "../errors/index.ts";
import { checkState } from "../state-machine.ts";
import type { CallOptions, PodConfig, Resources, VCPod } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import { growVm } from "./grow-vm.ts";
import { podHandle } from "./handles.ts";

/**
 * Changes the processors and the memory of a pod's VM (`vmConfig`); what is left out stays as it is. One that runs grows at
 * once, as far as it has room; it gets smaller when it is started again. Ours alone.
 * @throws HuskError ERR_POD_NOT_FOUND, ERR_STATE_INVALID, ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD, ERR_HOST_MEMORY,
 *   ERR_NOT_SUPPORTED, ERR_QMP, ERR_AGENT_REFUSED, ERR_VM_LOST
 */
export async function updatePod(
  podId: string,
  resources: Resources,
  options: CallOptions = {},
): Promise<VCPod> {
  checkVmResources(resources);
  return changePod(podId, new Call(options), async (pod) => {
    checkState({ podId }, pod.state, ["ready", "running", "stopped"], "to change its VM");
    const { config } = pod.record;
    checkMaximum(config, resources);
    const before = config.vmConfig;
    await using undo = new UndoStack();
    undo.push(() => {
      if (before) config.vmConfig = before;
      else delete config.vmConfig;
      pod.save();
    });
    config.vmConfig = { ...before, ...resources };
    if (pod.state !== "stopped") await growVm(pod, undo);
    pod.save();
    undo.commit();
    return podHandle(pod);
  });
}

/** A pod must not be left with a configuration that it could not be started with. */
function checkMaximum({ id, hypervisorConfig = {} }: PodConfig, { vcpus = 1 }: Resources): void {
  const { defaultMaxVCPUs = vcpus } = hypervisorConfig;
  if (vcpus <= defaultMaxVCPUs) return;
  const text = `vcpus: pod "${id}" was made for ${defaultMaxVCPUs} at most (hypervisorConfig.defaultMaxVCPUs)`;
  throw new HuskError("ERR_CONFIG_INVALID", text, { podId: id });
}
