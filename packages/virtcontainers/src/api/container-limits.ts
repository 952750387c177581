import { checkResources } from "../config/resources-schema.ts";
import { checkState } from "../state-machine.ts";
import type { CallOptions, LinuxResources, VCContainer } from "../types/index.ts";
import { UndoStack } from "../undo-stack.ts";
import { cannotControl, limit } from "./container-control.ts";
import { resourcesOf, setResources } from "./container-resources.ts";
import { growVm } from "./grow-vm.ts";
import { containerHandle } from "./handles.ts";
import type { OpenPod } from "./open-pod.ts";
import { withContainer } from "./with-container.ts";

/** What a container has beside others that nothing is said of. */
const DEFAULT_SHARES = 1024;

/**
 * Changes what a container may use; what is left out stays as it is. The VM grows by what it needs more, as far as it has room.
 * Stored, so that the container has it also when its pod is started again. Ours alone; Kata: `UpdateContainer`.
 * @throws HuskError ERR_CONTAINER_NOT_FOUND, ERR_STATE_INVALID, ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD, ERR_NOT_SUPPORTED for
 *   an agent that limits nothing, ERR_HOST_MEMORY, ERR_QMP, ERR_AGENT_REFUSED, ERR_VM_LOST
 */
export async function updateContainer(
  podId: string,
  containerId: string,
  resources: LinuxResources,
  options: CallOptions = {},
): Promise<VCContainer> {
  checkResources(resources);
  return withContainer(podId, containerId, options, async (pod) => {
    const { config, record } = pod.container(containerId);
    checkState({ podId }, pod.state, ["ready", "running", "stopped"], "to change what a container may use");
    checkAgent(pod);
    const before = resourcesOf(config);
    const changed = mergeResources(before, resources);
    await using undo = new UndoStack();
    const putBack = setResources(config, changed);
    undo.push(() => {
      putBack();
      pod.save();
    });
    if (pod.state !== "stopped") {
      pod.announceChange();
      await growVm(pod, undo);
      if (record.state === "running" || record.state === "paused") {
        undo.push(() => limit(pod, containerId, mergeResources(withoutLimits(resources), before)));
        await limit(pod, containerId, pickParts(changed, resources));
      }
    }
    pod.save();
    undo.commit();
    return containerHandle(pod, containerId);
  });
}

/** An agent that cannot limit is known without asking it, also when the pod has no VM. */
function checkAgent({ id: podId, record }: OpenPod): void {
  const { agentType = "hyperstart" } = record.config;
  if (agentType === "hyperstart") throw cannotControl(podId, agentType);
}

/** Parts are told as a whole, as values belong together in them. */
function pickParts(resources: LinuxResources, changes: LinuxResources): LinuxResources {
  return Object.fromEntries(Object.entries(resources).filter(([part]) => part in changes));
}

/** What takes limits away again that there were none of before. */
function withoutLimits({ cpu, memory, pids }: LinuxResources): LinuxResources {
  return {
    ...(cpu ? { cpu: { shares: DEFAULT_SHARES, quota: -1, cpus: "", mems: "" } } : {}),
    ...(memory ? { memory: { limit: -1, reservation: 0, swap: -1 } } : {}),
    ...(pids ? { pids: { limit: -1 } } : {}),
  };
}

/** The limits after a change: each part is that of before, with the new values. */
function mergeResources(before: LinuxResources, changes: LinuxResources): LinuxResources {
  const { cpu, memory, blockIO, ...others } = changes;
  return {
    ...before,
    ...others,
    ...(cpu ? { cpu: { ...before.cpu, ...cpu } } : {}),
    ...(memory ? { memory: { ...before.memory, ...memory } } : {}),
    ...(blockIO ? { blockIO: { ...before.blockIO, ...blockIO } } : {}),
  };
}
