import type { Stdio } from "./stdio.ts";

/** How a door carries the streams of a process. It owns the agent's ends from {@link ProcessStreams.connect} on. */
export interface ProcessStreams {
  /**
   * Begins to carry them.
   *
   * @param done called once when nothing more of the output is to be waited for; perhaps before the process's end
   */
  connect(stdio: Stdio, done: () => void): void;
  /** The process is dead: it takes no more input. */
  endInput(): void;
  /** The process is dead, its output is done, and the host knows that there was a process. */
  release(): void;
}
