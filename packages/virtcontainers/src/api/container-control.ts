import { type AgentSession, type ContainerControl, containerControlOf } from "../agent/types.ts";
import { HuskError } from "../errors/index.ts";
import type { LinuxResources } from "../types/index.ts";
import { resourcesOf } from "./container-resources.ts";
import type { OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";

/** An agent does not do what only some agents do. */
export function cannotControl(podId: string, agentType: string): HuskError {
  const text = `the agent ${agentType} of pod "${podId}" neither limits, measures nor pauses single containers`;
  return new HuskError("ERR_NOT_SUPPORTED", text, {
    hint: 'Create the pod with agentType: "kata" (husk run: --agent kata).',
    podId,
  });
}

/** The session with a pod's agent, for what only some agents do. @throws HuskError ERR_NOT_SUPPORTED, and as `needSession` */
export async function needControl(pod: OpenPod): Promise<AgentSession & ContainerControl> {
  const control = containerControlOf(await needSession(pod));
  if (control) return control;
  throw cannotControl(pod.id, pod.record.config.agentType ?? "hyperstart");
}

/** Tells the agent what a container may use. */
export async function limit(pod: OpenPod, containerId: string, resources: LinuxResources): Promise<void> {
  const control = await needControl(pod);
  await control.updateContainer(containerId, resources, { signal: pod.call.signal });
  pod.call.mark("container-limited");
}

/** Sets the limits that are stored, of all containers that run: of a caller that died, it is not known how far it came. */
export async function limitAgain(pod: OpenPod): Promise<void> {
  for (const config of pod.containers) {
    const { id } = config;
    const { state } = pod.container(id).record;
    if (state !== "running" && state !== "paused") continue;
    const resources = resourcesOf(config);
    if (Object.keys(resources).length > 0) await limit(pod, id, resources);
  }
}
