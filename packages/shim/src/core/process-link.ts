/** The way from a shim to its process in the guest: one kind for each proxy. The shim itself is the same for both. */

/** An output of a process. */
export type OutputName = "stdout" | "stderr";

/** Bytes of each output. */
export interface OutputPositions {
  stdout: number;
  stderr: number;
}

/** What a link tells its shim. One of the last three is the end. */
export interface LinkEvents {
  /**
   * Output of the process, in its order. The bytes are the link's again when this returns. `written` is to be called when
   * they are where they belong and need not be sent again; until then the link fetches only a bounded amount of more. It must
   * go on while less than a character (up to 3 bytes) of each output is not written: a log waits for the rest.
   */
  onOutput(name: OutputName, data: Uint8Array, written: () => void): void;
  /** No more output comes. */
  onOutputEnd(name: OutputName): void;
  /** The shim could not begin: the proxy or the agent does not know its process, or is not there. Why. */
  onRefused(reason: string): void;
  /** The process has ended; all of its output has been told before. */
  onExit(code: number): void;
  /** The process cannot be reached any more, nor by a proxy that was brought back: why. */
  onLost(reason: string): void;
}

/** See the head of the file. All is done in its order; what a process that has ended is told is dropped. */
export interface ProcessLink {
  /** Connects and begins to tell. @param received what a shim before this one has written of its outputs */
  start(received: OutputPositions): void;
  /** Gives the process input; the bytes are the link's until `taken` is called, and then more may be given. */
  writeStdin(data: Uint8Array, taken: () => void): void;
  /** Ends its input. */
  closeStdin(): void;
  /** Sends it a signal, by the kernel's number. */
  signal(signal: number): void;
  /** Tells its terminal its size in characters. */
  resize(rows: number, columns: number): void;
  /** Says good-bye to the proxy and lets go of the connection; after the exit has been dealt with. */
  close(): void;
}
