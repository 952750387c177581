import { constants } from "node:os";

/** The signals that belong to the command rather than to husk, as long as it runs. */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM"] as const;
/** Those of them that ask husk itself to end, when there is no command to take them. */
const ENDING: readonly string[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/** Number that a shell adds to a signal's to make an exit status. */
const SIGNAL_STATUS = 128;

/** The exit status of a program that a signal has ended. */
export function statusOfSignal(name: NodeJS.Signals): number {
  return SIGNAL_STATUS + constants.signals[name];
}

/**
 * Takes husk's signals over for the life of a command: at first they abort what husk does; once the command
 * runs they are sent on to it; at the end, while husk cleans up, they are let pass.
 */
export class SignalTrap implements Disposable {
  readonly #controller = new AbortController();
  readonly #onSignal = (name: NodeJS.Signals) => this.#take(name);
  #forward: ((signal: number) => Promise<void>) | undefined;
  #closing = false;
  #caught: NodeJS.Signals | undefined;

  constructor() {
    for (const name of FORWARDED) process.on(name, this.#onSignal);
  }

  /** Fires when a signal asks husk to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The signal that ended husk's own work; undefined: none did. */
  get caught(): NodeJS.Signals | undefined {
    return this.#caught;
  }

  /** From now on signals are for the command. */
  forwardTo(send: (signal: number) => Promise<void>): void {
    this.#forward = send;
  }

  /** From now on signals are ignored: what is left has deadlines of its own and should not be cut short. */
  ignore(): void {
    this.#closing = true;
  }

  [Symbol.dispose](): void {
    for (const name of FORWARDED) process.off(name, this.#onSignal);
  }

  #take(name: NodeJS.Signals): void {
    if (this.#closing) return;
    // A command that has just ended, or whose VM is gone, cannot take it: whoever waits for it hears so.
    if (this.#forward !== undefined) void this.#forward(constants.signals[name]).catch(() => {});
    else if (ENDING.includes(name)) {
      this.#caught ??= name;
      this.#controller.abort();
    }
  }
}
