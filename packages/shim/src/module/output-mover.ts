import { EPOLLIN, watch } from "@husk/tiny";
import type { ContainerLog } from "./container-log.ts";

/** Moves after which others have their turn. */
const MOVES_AT_ONCE = 16;

/** Takes what comes out of a container, as it comes. */
export class OutputMover {
  readonly #fifos: readonly number[];
  readonly #log: ContainerLog;

  constructor(fifos: readonly number[], log: ContainerLog) {
    this.#fifos = fifos;
    this.#log = log;
    for (const fifo of fifos) watch(fifo, EPOLLIN, () => this.#move(fifo));
  }

  /** Moves all that is there by now: what a process that has ended had left. */
  drain(): void {
    for (const fifo of this.#fifos) {
      let moved = 1;
      // More than a FIFO holds is there only when somebody still writes, who is not waited for.
      for (let moves = 0; moved > 0 && moves < MOVES_AT_ONCE; moves++) moved = this.#log.take(fifo);
    }
  }

  #move(fifo: number): void {
    let moved = 1;
    for (let moves = 0; moved > 0 && moves < MOVES_AT_ONCE; moves++) moved = this.#log.take(fifo);
  }
}
