import { existsSync } from "node:fs";
import type { ProcessAsyncEvent } from "@husk/wire/hyperstart";
import { withDeadline } from "../../../deadline.ts";
import { type HuskError, isHuskError } from "../../../errors/index.ts";
import { deadlineMs } from "../../../hypervisor/deadlines.ts";
import type { OpenOptions } from "../../types.ts";
import type { CommandOptions } from "../transport.ts";
import { connectProxy } from "./connect-proxy.ts";
import type { GuestEvents, ProcessEvents, ProxyConnection } from "./proxy-connection.ts";

/** How often a step is tried that the proxy's death has broken off. */
const ATTEMPTS = 3;

/** The pod's proxy as a session knows it: where it is, and how it comes back. */
export class ProxyEndpoint {
  readonly path: string;
  readonly podId: string;
  /** limits of one step of a connection that is made anew */
  readonly limits: CommandOptions;
  /** called when a process of the guest has ended, whoever carries it */
  onGuestExit: (event: ProcessAsyncEvent) => void = () => {};
  /** for the connection that hears of that */
  readonly guestEvents: GuestEvents = { onGuestExit: (event) => this.onGuestExit(event) };
  readonly #revive: OpenOptions["reviveProxy"];
  /** what a proxy leaves that was killed; one that has ended with its VM leaves none */
  readonly #stateFile: string;
  #revival: Promise<void> | undefined;

  constructor(path: string, { directory, deadlineFactor, reviveProxy }: OpenOptions) {
    this.path = path;
    this.podId = directory.podId;
    this.limits = { timeoutMs: deadlineMs("agentCommand", deadlineFactor) };
    this.#revive = reviveProxy;
    this.#stateFile = directory.file("proxyState");
  }

  /** whether a connection that breaks off is worth making anew */
  get canReconnect(): boolean {
    return this.#revive !== undefined;
  }

  /**
   * Connects and makes the first use of the connection, anew when the proxy dies meanwhile.
   * @throws HuskError ERR_AGENT_DISCONNECTED, ERR_ABORTED, …, and what `begin` throws
   */
  async connectAndBegin<T>(
    begin: (connection: ProxyConnection) => Promise<T>,
    limits: CommandOptions,
    events?: ProcessEvents | GuestEvents,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const connection = await this.#connect(limits, events);
      try {
        return await begin(connection);
      } catch (error) {
        connection.close();
        const isOver = attempt === ATTEMPTS || !this.canReconnect;
        if (isOver || !isHuskError(error, "ERR_AGENT_DISCONNECTED")) throw error;
      }
    }
  }

  /** A proxy that is dead is brought back. */
  async #connect(limits: CommandOptions, events?: ProcessEvents | GuestEvents): Promise<ProxyConnection> {
    try {
      return await connectProxy(this.path, limits.signal, events);
    } catch (error) {
      const isDead = isHuskError(error, "ERR_AGENT_DISCONNECTED") && existsSync(this.#stateFile);
      if (!isDead || !this.#revive) throw error;
    }
    const what = "the pod's proxy to come back";
    await withDeadline(this.#bringBack(this.#revive), { ms: limits.timeoutMs, signal: limits.signal, what });
    return connectProxy(this.path, limits.signal, events);
  }

  #bringBack(revive: () => Promise<void>): Promise<void> {
    this.#revival ??= revive().finally(() => {
      this.#revival = undefined;
    });
    return this.#revival;
  }
}

/** What is said of a loss by whoever knows more of it than that the connection has ended. */
export function tellingError(error: unknown): HuskError | undefined {
  return isHuskError(error, "ERR_AGENT_PROTOCOL") || isHuskError(error, "ERR_AGENT_REFUSED")
    ? error
    : undefined;
}
