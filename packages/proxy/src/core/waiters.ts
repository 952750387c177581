/** Waits for something that happens once, at most so long, and only as long as somebody cares. */

import { startTimer, stopTimer } from "@husk/tiny";

/** Somebody for whom is waited. */
export interface Caller {
  /** Calls `gone` when it goes away, until the function returned is called. */
  onGone(gone: () => void): () => void;
}

/** See the head of the file. */
export class Waiters {
  readonly #waiting = new Set<(happened: boolean) => void>();

  /** Settles with true when {@link wake} is called; with false when that is not in time, or the caller has gone. */
  wait(timeoutMs: number, caller: Caller): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (happened: boolean) => {
        this.#waiting.delete(settle);
        stopTimer(timer);
        forget();
        resolve(happened);
      };
      const timer = startTimer(timeoutMs, () => settle(false));
      const forget = caller.onGone(() => settle(false));
      this.#waiting.add(settle);
    });
  }

  /** It has happened. */
  wake(): void {
    for (const settle of [...this.#waiting]) settle(true);
  }
}
