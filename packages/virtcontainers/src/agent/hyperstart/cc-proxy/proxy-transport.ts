import type { ProcessAsyncEvent } from "@husk/wire/hyperstart";
import { HuskError } from "../../../errors/index.ts";
import type { GuestProcess } from "../../guest-process.ts";
import type { Carrier } from "../../types.ts";
import type {
  CommandOptions,
  PreparedProcess,
  ProcessName,
  Reply,
  Transport,
  TransportEvents,
} from "../transport.ts";
import { ProcessStart, startForShim } from "./process-start.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import { ProxyControl } from "./proxy-control.ts";
import type { ProxyEndpoint } from "./proxy-endpoint.ts";
import { ProxyProcess, type ProxyProcessEvents } from "./proxy-process.ts";

/** The pod's cc-proxy, which has the channels of the VM. Each process has a connection of its own to it. */
export class ProxyTransport implements Transport {
  /** nobody relays: the proxy serves all alike */
  readonly isOwner = true;
  readonly #endpoint: ProxyEndpoint;
  readonly #control: ProxyControl;
  readonly #events: TransportEvents;
  readonly #processes = new Set<ProxyProcess>();
  #hasEnded = false;

  /** @param connection one that is a client of the pod's VM */
  constructor(endpoint: ProxyEndpoint, connection: ProxyConnection, events: TransportEvents) {
    this.#endpoint = endpoint;
    this.#events = events;
    endpoint.onGuestExit = (event) => this.#takeGuestExit(event);
    this.#control = new ProxyControl(endpoint, connection, (error) => this.#takeControlEnd(error));
  }

  get closed(): boolean {
    return this.#control.closed;
  }

  request(command: number, payload: object | undefined, options: CommandOptions): Promise<Reply> {
    return this.#control.request(command, payload, options);
  }

  async prepare(name: ProcessName, carrier: Carrier, options: CommandOptions): Promise<PreparedProcess> {
    if (this.closed) throw new HuskError("ERR_AGENT_DISCONNECTED", "the session has ended");
    const start = await ProcessStart.begin(this.#endpoint, options);
    if (!("startShim" in carrier)) return this.#carry(name, carrier, start, options);
    try {
      await carrier.startShim(start.token);
    } catch (error) {
      start.close();
      throw error;
    }
    return startForShim(start);
  }

  close(): void {
    this.#control.close();
    for (const process of this.#processes) process.release();
  }

  /** Output that a proxy had sent before it ended is still to be read. */
  #takeControlEnd(error: HuskError | undefined): void {
    if (error) for (const process of this.#processes) process.release();
    this.#events.onControlEnded();
    this.#endWithLast(error);
  }

  async #carry(
    name: ProcessName,
    process: GuestProcess,
    start: ProcessStart,
    options: CommandOptions,
  ): Promise<PreparedProcess> {
    const events: ProxyProcessEvents = {
      onEnd: (ended, status) => {
        const { containerId, processId } = ended.name;
        this.#tellExit(ended, { container: containerId, process: processId, event: "finished", status });
        this.#events.onOutputEnd(ended.name);
      },
      onStreamsLost: (lost, error) => this.#events.onStreamsLost(lost, error),
      onGone: (gone) => {
        this.#processes.delete(gone);
        this.#endWithLast(undefined);
      },
    };
    const carried = new ProxyProcess(name, process, { start, endpoint: this.#endpoint, events });
    this.#processes.add(carried);
    try {
      await carried.connect(options);
      return carried;
    } catch (error) {
      carried.release();
      throw error;
    }
  }

  /** Our own proxy tells every end, of those that are carried here before their connection tells it again. */
  #takeGuestExit(event: ProcessAsyncEvent): void {
    const carried = [...this.#processes].find(
      ({ name }) => name.containerId === event.container && name.processId === event.process,
    );
    this.#tellExit(carried, event);
  }

  #tellExit(carried: ProxyProcess | undefined, event: ProcessAsyncEvent): void {
    if (carried?.exitTold) return;
    if (carried) carried.exitTold = true;
    this.#events.onExit(event);
  }

  #endWithLast(error: HuskError | undefined): void {
    if (this.#hasEnded || !this.closed || (!error && this.#processes.size > 0)) return;
    this.#hasEnded = true;
    this.#events.onClosed(error);
  }
}
