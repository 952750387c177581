import { EPOLLIN, rewatch, startTimer, watch } from "@husk/tiny";
import type { ContainerLog } from "./container-log.ts";

/** Moves after which others have their turn. */
const MOVES_AT_ONCE = 16;
/** Milliseconds in which lines that come one by one are let come together: a wake-up for each would cost a core for fifty containers. */
const GATHERING_MS = 10;
/** Bytes from which on that is not worth it: a FIFO holds four times as much. */
const MUCH_BYTES = 16 * 1024;
/** Small pieces in a row, after which it is: a writer of much, too, is overtaken now and then. */
const SMALL_PIECES = 4;

/** Takes what comes out of a container: at once, or, of many small pieces, a moment later. */
export class OutputMover {
  readonly #fifos: readonly number[];
  readonly #log: ContainerLog;
  #smallInRow = 0;

  constructor(fifos: readonly number[], log: ContainerLog) {
    this.#fifos = fifos;
    this.#log = log;
    for (const fifo of fifos) watch(fifo, EPOLLIN, () => this.#onReadable(fifo));
  }

  /** Moves all that is there by now: what a process that has ended had left. */
  drain(): void {
    for (const fifo of this.#fifos) this.#move(fifo);
  }

  #onReadable(fifo: number): void {
    this.#smallInRow = this.#move(fifo) < MUCH_BYTES ? this.#smallInRow + 1 : 0;
    if (this.#smallInRow < SMALL_PIECES) return;
    rewatch(fifo, 0);
    this.#gather(fifo);
  }

  /** Looks again until nothing has come meanwhile, or much. */
  #gather(fifo: number): void {
    startTimer(GATHERING_MS, () => {
      const moved = this.#move(fifo);
      if (moved > 0 && moved < MUCH_BYTES) {
        this.#gather(fifo);
        return;
      }
      this.#smallInRow = 0;
      rewatch(fifo, EPOLLIN);
    });
  }

  /** Bytes of what was there; of much, some. */
  #move(fifo: number): number {
    let all = 0;
    for (let moves = 0; moves < MOVES_AT_ONCE; moves++) {
      const moved = this.#log.take(fifo);
      all += moved;
      // More than a FIFO holds is there only when somebody still writes.
      if (moved === 0) break;
    }
    return all;
  }
}
