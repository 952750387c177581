import { MAX_HELD_FRAMES } from "./limits.ts";

/**
 * Takes a whole frame, and always all of it: the bytes are the taker's own. Gives false when it wants no more until
 * `resume()`, as a Node stream's `write` does.
 */
export type Sink = (frame: Uint8Array) => boolean;

/**
 * The way out to a sink that may be full. Frames without data wait here, within a bound; those with data do not: their
 * writers keep them.
 */
export class Outlet {
  readonly #sink: Sink;
  #held: Uint8Array[] = [];
  #blocked = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** true while the sink wants nothing */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Sends a frame. The caller has seen that the outlet is not blocked. */
  send(frame: Uint8Array): void {
    this.#blocked = !this.#sink(frame);
  }

  /** Sends a frame without data, or keeps it until the sink takes it. False when too many are kept. */
  sendControl(frame: Uint8Array): boolean {
    if (!this.#blocked) this.send(frame);
    else if (this.#held.length < MAX_HELD_FRAMES) this.#held.push(frame);
    else return false;
    return true;
  }

  /** Sends the last frame of all, and drops what was kept. */
  sendLast(frame: Uint8Array): void {
    this.#held = [];
    this.#sink(frame);
  }

  /** The sink takes bytes again. */
  resume(): void {
    this.#blocked = false;
    let sent = 0;
    for (const frame of this.#held) {
      if (this.#blocked) break;
      this.send(frame);
      sent += 1;
    }
    this.#held.splice(0, sent);
  }
}
