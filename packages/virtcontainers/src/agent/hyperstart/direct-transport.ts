import type { ProcessAsyncEvent, StreamFrame } from "@husk/wire/hyperstart";
import { HuskError } from "../../errors/index.ts";
import { type DeadlineName, deadlineMs } from "../../hypervisor/deadlines.ts";
import type { Carrier } from "../types.ts";
import type { Channels } from "./channels.ts";
import { HyperstartConnection } from "./connection.ts";
import { DirectProcess } from "./direct-process.ts";
import { StreamRouter } from "./stream-router.ts";
import type {
  CommandOptions,
  PreparedProcess,
  ProcessName,
  Reply,
  Transport,
  TransportEvents,
} from "./transport.ts";

/** How a direct transport is made. */
interface DirectOptions {
  readonly isOwner: boolean;
  /** another process had the channels, and may have left them in the middle of a frame */
  readonly takeOver: boolean;
  readonly deadlineFactor: number;
}

/** The channels of the VM, which this process holds, or which another relays as if it were the agent. */
export class DirectTransport implements Transport {
  readonly connection: HyperstartConnection;
  readonly router: StreamRouter;
  readonly isOwner: boolean;
  readonly #deadlineFactor: number;
  readonly #closers: (() => void)[] = [];
  readonly #listeners = new Set<(event: ProcessAsyncEvent) => void>();
  readonly #ready = Promise.withResolvers<void>();

  constructor({ control, stream }: Channels, events: TransportEvents, options: DirectOptions) {
    this.isOwner = options.isOwner;
    this.#deadlineFactor = options.deadlineFactor;
    this.#ready.promise.catch(() => {});
    const own = {
      onReady: () => this.#ready.resolve(),
      onEvent: (event: ProcessAsyncEvent) => {
        events.onExit(event);
        for (const listener of this.#listeners) listener(event);
      },
      onStream: (frame: StreamFrame) => this.router.route(frame),
      onControlEnded: () => {
        this.#runClosers();
        events.onControlEnded();
      },
      onClosed: (error: HuskError | undefined) => {
        this.#ready.reject(error ?? new HuskError("ERR_AGENT_DISCONNECTED", "the VM has ended"));
        this.#runClosers();
        events.onClosed(error);
      },
    };
    this.connection = new HyperstartConnection(control, stream, own, { takeOver: options.takeOver });
    this.router = new StreamRouter(this.connection);
  }

  get closed(): boolean {
    return this.connection.closed;
  }

  /** Settles when the agent has said READY. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Calls `listener` at every end of a process, until it is taken off by the function returned. */
  listen(listener: (event: ProcessAsyncEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `closer` when the transport ends. */
  onClose(closer: () => void): void {
    this.#closers.push(closer);
  }

  /** Milliseconds of a deadline on this VM. */
  deadline(name: DeadlineName): number {
    return deadlineMs(name, this.#deadlineFactor);
  }

  request(command: number, payload: object | undefined, options: CommandOptions): Promise<Reply> {
    return this.connection.request(command, payload && JSON.stringify(payload), options);
  }

  async prepare(_name: ProcessName, carrier: Carrier): Promise<PreparedProcess> {
    if ("startShim" in carrier) {
      throw new HuskError("ERR_NOT_SUPPORTED", "a shim cannot carry a process without the pod's proxy");
    }
    return new DirectProcess(carrier, this.connection, this.router);
  }

  close(): void {
    this.connection.close();
    // Now, and not when the sockets have told of their end: a caller that goes on must find nothing held.
    this.#runClosers();
  }

  #runClosers(): void {
    for (const closer of this.#closers.splice(0)) closer();
  }
}
