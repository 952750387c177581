/** Signals that ask a command to end. */
const ENDING = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * Ends what a command does when it is asked to, or when who called it has ended: nobody would ever use, or delete, what it makes.
 * The latter is looked at from phase to phase.
 */
export class CallerWatch implements Disposable {
  readonly #controller = new AbortController();
  readonly #parent = process.ppid;
  readonly #end = () => this.#controller.abort();

  constructor() {
    for (const name of ENDING) process.on(name, this.#end);
  }

  /** Options for the calls of the library that are ended. */
  get options() {
    return { signal: this.#controller.signal, onPhase: () => this.#look() };
  }

  #look(): void {
    if (process.ppid !== this.#parent) this.#end();
  }

  /** From now on nothing is ended any more, and signals are ignored: it is done, or is being undone. */
  [Symbol.dispose](): void {
    for (const name of ENDING) {
      process.off(name, this.#end);
      process.on(name, () => {});
    }
  }
}
