import { callSoon, onExit, onOrphanExit } from "@husk/tiny";

/**
 * How children ended whom nobody waited for yet: a process that a runtime's command leaves to us may end before that command
 * does, and then it is reaped before anybody knows its pid.
 */
export class EndedChildren {
  readonly #ended = new Map<number, number>();
  /** commands that run, any of which may leave a process */
  #expecting = 0;

  constructor() {
    onOrphanExit((pid, status) => {
      if (this.#expecting > 0) this.#ended.set(pid, status);
    });
  }

  /** Keeps the ends of whoever is left to us until `task` is over; the children that it leaves are to be awaited in it. */
  async during<T>(task: () => Promise<T>): Promise<T> {
    this.#expecting++;
    try {
      return await task();
    } finally {
      this.#expecting--;
      if (this.#expecting === 0) this.#ended.clear();
    }
  }

  /** Resolves with the wait status of a child, be it that it has ended by now. */
  whenEnded(pid: number): Promise<number> {
    return new Promise((resolve) => {
      const status = this.#ended.get(pid);
      this.#ended.delete(pid);
      if (status === undefined) onExit(pid, resolve);
      else callSoon(() => resolve(status));
    });
  }

  /** Whether a child has been reaped that nobody has asked for. */
  has(pid: number): boolean {
    return this.#ended.has(pid);
  }
}
