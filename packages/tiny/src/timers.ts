import { clock } from "tiny:sys";
import { CLOCK_MONOTONIC } from "./constants.ts";

/** Longest wait that epoll takes, in milliseconds: its timeout is an int. */
const MAX_WAIT_MS = 0x7fffffff;

interface Timer {
  id: number;
  /** when it is due, in milliseconds of CLOCK_MONOTONIC */
  due: number;
  task: () => void;
}

/** Timers in the order in which they are due. Programs here have few at a time, so a sorted array serves. */
export class Timers {
  #queue: Timer[] = [];
  #lastId = 0;

  start(delayMs: number, task: () => void): number {
    const timer = { id: ++this.#lastId, due: clock(CLOCK_MONOTONIC) + delayMs, task };
    let at = this.#queue.length;
    while (at > 0 && (this.#queue[at - 1] as Timer).due > timer.due) at--;
    this.#queue.splice(at, 0, timer);
    return timer.id;
  }

  stop(id: number): void {
    this.#queue = this.#queue.filter((timer) => timer.id !== id);
  }

  /** Milliseconds until the next timer is due, rounded up, as far as epoll can count; -1 without one. */
  delay(): number {
    const next = this.#queue[0];
    if (!next) return -1;
    return Math.min(Math.max(0, Math.ceil(next.due - clock(CLOCK_MONOTONIC))), MAX_WAIT_MS);
  }

  /** Runs what is due through `guard`; true when anything was. */
  fire(guard: (task: () => void) => void): boolean {
    if (this.#queue.length === 0) return false;
    const now = clock(CLOCK_MONOTONIC);
    let fired = false;
    while (this.#queue.length > 0 && (this.#queue[0] as Timer).due <= now) {
      const timer = this.#queue.shift() as Timer;
      fired = true;
      guard(timer.task);
    }
    return fired;
  }
}
