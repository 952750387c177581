import type { OutputName, OutputPositions } from "./process-link.ts";

/** Where the output of the process goes. */
export interface OutputTarget {
  /** bytes of each output that are there */
  readonly positions: OutputPositions;
  /** Takes output; `written` is called when it is there. The bytes may be used again at once. */
  write(name: OutputName, data: Uint8Array, written: () => void): void;
  /** Puts there at once what waits for the turn's end. */
  flush(): void;
  /** No more comes of this one. */
  end(name: OutputName): void;
  /** No more comes at all: calls `done` when everything is there. */
  finish(done: () => void): void;
  /** Lets go of what it has; what is not there is lost. */
  close(): void;
}
