import type { AgentType } from "../types/index.ts";
import { HyperstartAgent } from "./hyperstart/index.ts";
import { NoopAgent } from "./noop.ts";
import type { Agent } from "./types.ts";

/** The agent of a kind. */
export function createAgent(type: AgentType): Agent {
  return type === "noop" ? new NoopAgent() : new HyperstartAgent();
}
