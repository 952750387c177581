import type { PodConfig } from "../types/index.ts";
import { HyperstartAgent } from "./hyperstart/index.ts";
import { KataAgentKind } from "./kata/index.ts";
import { NoopAgent } from "./noop.ts";
import type { Agent } from "./types.ts";

/** The agent of a pod. */
export function createAgent({ agentType, agentConfig }: PodConfig): Agent {
  if (agentType === "noop") return new NoopAgent();
  return agentType === "kata" ? new KataAgentKind(agentConfig) : new HyperstartAgent();
}
