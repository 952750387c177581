import { type AgentSession, type ContainerPreparation, preparationOf } from "../agent/types.ts";
import { isShimProgram } from "../config/resident-programs.ts";
import { HuskError } from "../errors/index.ts";
import type { OpenPod } from "./open-pod.ts";
import { needSession } from "./session.ts";

/**
 * The session with a pod's agent, for containers that are made before they begin.
 * @throws HuskError ERR_NOT_SUPPORTED, and as `needSession`
 */
export async function needPreparation(pod: OpenPod): Promise<AgentSession & ContainerPreparation> {
  const { config } = pod.record;
  const preparation = isShimProgram(config) ? preparationOf(await needSession(pod)) : undefined;
  if (preparation) return preparation;
  const { agentType = "hyperstart", shimType = "noopShim" } = config;
  const text = `a pod with the agent ${agentType} and the shim ${shimType} cannot prepare containers`;
  const hint = 'Create it with agentType "kata", proxyType "kataProxy" and shimType "kataShim".';
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint, podId: pod.id });
}
