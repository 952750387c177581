import type { HuskError } from "../../../errors/index.ts";
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
import { askAgent } from "./proxy-commands.ts";
import type { ProxyConnection } from "./proxy-connection.ts";
import { ProxyProcess } from "./proxy-process.ts";

/** The pod's cc-proxy, which has the channels of the VM. Each process has a connection of its own to it. */
export class ProxyTransport implements Transport {
  /** nobody relays: the proxy serves all alike */
  readonly isOwner = true;
  readonly #path: string;
  readonly #podId: string;
  readonly #control: ProxyConnection;
  readonly #events: TransportEvents;
  readonly #processes = new Set<ProxyProcess>();
  #hasEnded = false;

  /** @param control a connection that is a client of the pod's VM; its end is to be told by `takeControlEnd` */
  constructor(proxy: { path: string; podId: string }, control: ProxyConnection, events: TransportEvents) {
    this.#path = proxy.path;
    this.#podId = proxy.podId;
    this.#control = control;
    this.#events = events;
  }

  get closed(): boolean {
    return this.#control.closed;
  }

  request(command: number, payload: object | undefined, options: CommandOptions): Promise<Reply> {
    return askAgent(this.#control, command, payload ? { data: payload } : {}, options);
  }

  async prepare(name: ProcessName, carrier: Carrier, options: CommandOptions): Promise<PreparedProcess> {
    const start = await ProcessStart.begin(this.#path, this.#podId, options);
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

  /** The proxy has ended, or wants no more of us. Output that it has sent is still to be read. */
  takeControlEnd(error: HuskError | undefined): void {
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
    const carried = new ProxyProcess(name, process, start, this.#events);
    this.#processes.add(carried);
    try {
      await carried.connect(this.#path, options, () => this.#takeEnd(carried));
    } catch (error) {
      carried.release();
      this.#processes.delete(carried);
      throw error;
    }
    return carried;
  }

  #takeEnd(process: ProxyProcess): void {
    this.#processes.delete(process);
    this.#endWithLast(undefined);
  }

  #endWithLast(error: HuskError | undefined): void {
    if (this.#hasEnded || !this.closed || (!error && this.#processes.size > 0)) return;
    this.#hasEnded = true;
    this.#events.onClosed(error);
  }
}
