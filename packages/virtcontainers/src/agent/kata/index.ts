import type { KataAgentConfig, Param } from "../../types/index.ts";
import type { Agent, OpenOptions } from "../types.ts";
import { AGENT_PORT, KataAgent } from "./agent.ts";
import { KataSession } from "./session.ts";

/** Kata's agent, today's by ttRPC or one of 1.x by gRPC, over one virtio-serial port. */
export class KataAgentKind implements Agent {
  readonly type = "kata";
  readonly ports = [AGENT_PORT];
  readonly kernelParams: readonly Param[];
  readonly keepsEnded = true;
  readonly #config: KataAgentConfig;

  constructor(config: KataAgentConfig = {}) {
    this.#config = config;
    this.kernelParams = kernelParams(config);
  }

  async open(options: OpenOptions): Promise<KataSession | undefined> {
    const { directory, deadlineFactor } = options;
    const agent = new KataAgent();
    agent.init({ directory, deadlineFactor, config: this.#config });
    let session: KataSession | undefined;
    // Whoever leaves may have started containers, whose ends nobody else is told.
    if (!(await agent.startProxy(options, () => session?.followStored()))) return undefined;
    session = new KataSession(agent, this.#config, options);
    return session;
  }
}

/** Settings that the agent reads when it starts: its own words, and the size of pipes as Kata has it. */
function kernelParams({ debug, containerPipeSize }: KataAgentConfig): Param[] {
  return [
    ...(debug ? [{ key: "HUSK_LOG", value: "debug" }] : []),
    ...(containerPipeSize === undefined
      ? []
      : [{ key: "agent.container_pipe_size", value: String(containerPipeSize) }]),
  ];
}
