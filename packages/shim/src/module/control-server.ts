import * as sys from "tiny:sys";
import { accept, EPOLLIN, startTimer, watch } from "@husk/tiny";
import { encodeFault, encodeStateEvent, type ShimCall } from "@husk/wire/module-shim";
import { ControlClient } from "./control-client.ts";
import type { ExecRunner } from "./exec-runner.ts";
import type { Runtime } from "./runtime.ts";
import { stopContainer } from "./stop-container.ts";
import type { SupervisedContainer } from "./supervised-container.ts";

/** Most clients at a time. */
const MAX_CLIENTS = 128;
/** Milliseconds in which the last answer has to be taken. */
const LEAVING_MS = 1000;

/** What the server serves. */
export interface ControlledParts {
  container: SupervisedContainer;
  runtime: Runtime;
  execs: ExecRunner;
  /** gives back what is to be gone when the shim is */
  beforeEnd(): void;
}

/** The control socket: who connects may ask for the container's state, stop it, run more processes in it, and end the shim. */
export class ControlServer {
  readonly #listener: number;
  readonly #parts: ControlledParts;
  readonly #clients = new Set<ControlClient>();

  constructor(listener: number, parts: ControlledParts) {
    this.#listener = listener;
    this.#parts = parts;
    watch(listener, EPOLLIN, () => this.#accept());
  }

  #accept(): void {
    for (let fd = accept(this.#listener); fd !== undefined; fd = accept(this.#listener)) {
      if (this.#clients.size >= MAX_CLIENTS) {
        sys.close(fd);
        continue;
      }
      const client = new ControlClient(fd, {
        onCall: (caller, call) => void this.#serve(caller, call),
        onGone: (gone) => this.#clients.delete(gone),
      });
      this.#clients.add(client);
    }
  }

  async #serve(client: ControlClient, call: ShimCall): Promise<void> {
    const { container, execs } = this.#parts;
    if (call.method === "exec") return execs.run(client, call);
    if (call.method === "state") return client.answer(encodeStateEvent(container.state));
    if (call.method === "quit") return this.#quit(client);
    const fault = await stopContainer(container, this.#parts.runtime, call);
    client.answer(fault ? encodeFault(fault) : encodeStateEvent(container.state));
  }

  async #quit(client: ControlClient): Promise<void> {
    const { container, beforeEnd } = this.#parts;
    // What follows its end, as its removal, is not to be left in the middle.
    if (container.isOver) await container.whenSettled();
    if (!container.isOver) {
      const { state, pid } = container.state;
      const message = `the container is ${state}${pid === undefined ? "" : ` as process ${pid}`}: stop it first`;
      return client.answer(encodeFault({ code: "running", message }));
    }
    const end = () => sys.exit(0);
    beforeEnd();
    startTimer(LEAVING_MS, end);
    client.leave(encodeStateEvent(container.state), end);
  }
}
