import { statusOfSignal } from "./signals.ts";

/** The signals that ask a server to end. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Signals of a server: the first asks it to end in order, the second ends it where it is. */
export class DrainSignals implements Disposable {
  readonly #controller = new AbortController();
  readonly #endAtOnce: (status: number) => void;
  readonly #onSignal = (name: NodeJS.Signals) => this.#take(name);

  /** @param endAtOnce ends the process with an exit status */
  constructor(endAtOnce: (status: number) => void = (status) => process.exit(status)) {
    this.#endAtOnce = endAtOnce;
    for (const name of ENDING) process.on(name, this.#onSignal);
  }

  /** Fires when the server is asked to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const name of ENDING) process.off(name, this.#onSignal);
  }

  #take(name: NodeJS.Signals): void {
    if (this.signal.aborted) this.#endAtOnce(statusOfSignal(name));
    else this.#controller.abort();
  }
}
