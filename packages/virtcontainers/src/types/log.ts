import type { CallOptions } from "./options.ts";

/** A stream of a log: the process's two, and what its shim itself has to say. */
export type LogStream = "stdout" | "stderr" | "shim";

/** An entry of the log of a detached container: a line of its output, or a piece of a long one. Ours alone. */
export interface LogEntry {
  /** when its shim had it */
  readonly time: Date;
  readonly stream: LogStream;
  /** position of the first byte in its stream, from 0 at the container's start */
  readonly offset: number;
  /** at most 16 KiB, with the newline that ends it; none at its end: the line goes on in the stream's next entry */
  readonly data: Uint8Array;
}

/** Options of `readLog`. Ours alone. */
export interface LogOptions extends CallOptions {
  /** go on with what comes until the container has ended; default false */
  follow?: boolean | undefined;
  /** leave out what is older */
  since?: Date | undefined;
  /** begin with the last so many lines; default: all that is kept */
  tail?: number | undefined;
  /** streams to read; default: all */
  streams?: readonly LogStream[] | undefined;
}
