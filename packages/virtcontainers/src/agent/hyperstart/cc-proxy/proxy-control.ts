import { withDeadline } from "../../../deadline.ts";
import type { HuskError } from "../../../errors/index.ts";
import type { CommandOptions, Reply } from "../transport.ts";
import { Endurance } from "./endurance.ts";
import { askAgent, attachVm } from "./proxy-commands.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import { type ProxyEndpoint, tellingError } from "./proxy-endpoint.ts";

/** The connection of a session's commands. One that breaks off is made anew, as long as the proxy comes back. */
export class ProxyControl {
  readonly #endpoint: ProxyEndpoint;
  readonly #onEnd: (error: HuskError | undefined) => void;
  #connection: ProxyConnection;
  #recovery: Promise<void> | undefined;
  readonly #endurance = new Endurance();
  #closed = false;

  /**
   * @param connection one that is a client of the pod's VM
   * @param onEnd called when no other takes its place; with an error, when the proxy broke the protocol
   */
  constructor(
    endpoint: ProxyEndpoint,
    connection: ProxyConnection,
    onEnd: (error: HuskError | undefined) => void,
  ) {
    this.#endpoint = endpoint;
    this.#onEnd = onEnd;
    this.#connection = connection;
    this.#watch(connection);
  }

  get closed(): boolean {
    return this.#closed || (!this.#recovery && this.#connection.closed && !this.#endpoint.canReconnect);
  }

  /** Sends a command to the agent; see `Transport.request`. */
  async request(command: number, data: object | undefined, options: CommandOptions): Promise<Reply> {
    if (this.#recovery) {
      const { timeoutMs: ms, signal } = options;
      await withDeadline(this.#recovery, { ms, signal, what: "the pod's proxy to come back" });
    }
    return askAgent(this.#connection, command, data ? { data } : {}, options);
  }

  close(): void {
    this.#closed = true;
    this.#connection.close();
  }

  #watch(connection: ProxyConnection): void {
    this.#endurance.noteMade();
    void connection.ended.then((error) => {
      const isWorthIt = this.#endpoint.canReconnect && this.#endurance.noteEnd();
      if (error || this.#closed || !isWorthIt) return this.#end(error);
      this.#recovery = this.#recover();
      // Whoever waits for it is told; when nobody does, `onEnd` tells.
      this.#recovery.catch(() => {});
    });
  }

  async #recover(): Promise<void> {
    try {
      this.#connection = await this.#reattach();
      if (this.#closed) this.#connection.close();
      this.#watch(this.#connection);
    } catch (error) {
      this.#end(tellingError(error));
      throw error;
    } finally {
      this.#recovery = undefined;
    }
  }

  #reattach(): Promise<ProxyConnection> {
    const { podId, limits, guestEvents } = this.#endpoint;
    const attach = async (connection: ProxyConnection) => {
      await attachVm(connection, podId, limits);
      return connection;
    };
    return this.#endpoint.connectAndBegin(attach, limits, guestEvents);
  }

  #end(error: HuskError | undefined): void {
    this.#closed = true;
    this.#onEnd(error);
  }
}
