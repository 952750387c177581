import { StatusCode } from "@husk/wire/ttrpc";
import { type AgentEvents, INIT_PROCESS } from "../types.ts";
import type { KataAgent } from "./agent.ts";
import { hasStatus } from "./client.ts";

/** What is known of the end of a container's first process. */
export interface FollowedEnd {
  /** undefined: it runs, or how it ended is not known */
  exitCode?: number;
  /** whether it has ended */
  ended: boolean;
  readonly end: Promise<void>;
}

/** The containers of a session whose ends are waited for, or were. */
export class ContainerEnds {
  readonly #agent: KataAgent;
  readonly #events: AgentEvents;
  readonly #followed = new Map<string, FollowedEnd>();

  constructor(agent: KataAgent, events: AgentEvents) {
    this.#agent = agent;
    this.#events = events;
  }

  /** The container is started anew: its earlier end says nothing any more. */
  forget(containerId: string): void {
    this.#followed.delete(containerId);
  }

  /** Waits for the end of a container's first process, which is told as an event. */
  follow(containerId: string): FollowedEnd {
    const known = this.#followed.get(containerId);
    if (known && !known.ended) return known;
    const end = Promise.withResolvers<void>();
    const followed: FollowedEnd = { ended: false, end: end.promise };
    this.#followed.set(containerId, followed);
    this.#agent.waitProcess(containerId, containerId).then(
      (exitCode) => {
        followed.ended = true;
        followed.exitCode = exitCode;
        this.#events.onExit(containerId, INIT_PROCESS, exitCode);
        end.resolve();
      },
      (error: unknown) => {
        // A container that the guest does not know does not run, nor one of a pod that is not set up; of others nothing is known.
        followed.ended = [StatusCode.NOT_FOUND, StatusCode.FAILED_PRECONDITION].some((code) =>
          hasStatus(error, code),
        );
        end.reject(error as Error);
      },
    );
    end.promise.catch(() => {});
    return followed;
  }
}
