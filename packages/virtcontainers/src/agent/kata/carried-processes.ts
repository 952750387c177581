import { HuskError, isHuskError } from "../../errors/index.ts";
import type { GuestProcess } from "../guest-process.ts";
import type { KataAgent } from "./agent.ts";
import type { FollowedEnd } from "./container-ends.ts";
import { ProcessStreams } from "./process-streams.ts";

/** The processes whose streams a session itself carries. */
export class CarriedProcesses {
  readonly #agent: KataAgent;
  readonly #describeLoss: () => Promise<HuskError>;
  readonly #all = new Set<GuestProcess>();

  /** @param describeLoss tells why the agent cannot be reached any more */
  constructor(agent: KataAgent, describeLoss: () => Promise<HuskError>) {
    this.#agent = agent;
    this.#describeLoss = describeLoss;
  }

  /** One is about to be started. */
  add(process: GuestProcess): void {
    this.#all.add(process);
  }

  /** It was not started. */
  drop(process: GuestProcess): void {
    this.#all.delete(process);
  }

  /** Carries a container's first one. The guest keeps what has ended, so that others can still ask: it goes when the container does. */
  async carryFirst(containerId: string, process: GuestProcess, followed: FollowedEnd): Promise<void> {
    const streams = new ProcessStreams(this.#agent, containerId, containerId, process);
    try {
      await Promise.all([
        streams.carry(),
        followed.end.then(() => followed.exitCode !== undefined && process.exit(followed.exitCode)),
      ]);
    } catch (error) {
      await this.#fail(process, error);
    }
    this.#all.delete(process);
  }

  /** Carries another one. Others than our own agent forget it when its exit status was asked for, so that comes last. */
  async carryExec(containerId: string, execId: string, process: GuestProcess): Promise<void> {
    this.#all.add(process);
    const wait = () => this.#agent.waitProcess(containerId, execId);
    const ended = this.#agent.isOurs ? wait() : undefined;
    ended?.catch(() => {});
    try {
      await new ProcessStreams(this.#agent, containerId, execId, process).carry();
      process.exit(await (ended ?? wait()));
    } catch (error) {
      await this.#fail(process, error);
    }
    this.#all.delete(process);
  }

  /** All are lost, also those whose reader holds their output up, which ask the guest for nothing at the moment. */
  async failAll(): Promise<void> {
    const lost = [...this.#all];
    if (lost.length === 0) return;
    const error = await this.#describeLoss();
    for (const process of lost) process.fail(error);
  }

  /** Tells whoever waits for a process why nothing more comes of it, if nobody else has. */
  async #fail(process: GuestProcess, error: unknown): Promise<void> {
    if (process.finished) return;
    if (isHuskError(error, "ERR_AGENT_DISCONNECTED")) {
      process.fail(await this.#describeLoss());
      return;
    }
    const text = error instanceof Error ? error.message : String(error);
    process.fail(isHuskError(error) ? error : new HuskError("ERR_AGENT_PROTOCOL", text, { cause: error }));
  }
}
