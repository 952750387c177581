import type { ProcessIo } from "@husk/virtcontainers";

/** Size of a terminal in characters. */
interface WindowSize {
  rows: number;
  columns: number;
}

/** A stream that may be a terminal. */
export interface MaybeTerminal {
  readonly isTTY?: boolean;
  readonly rows?: number;
  readonly columns?: number;
}

/** The size of the first of the streams that is a terminal and knows it. */
export function readWindowSize(streams: readonly MaybeTerminal[]): WindowSize | undefined {
  for (const { isTTY, rows, columns } of streams) if (isTTY && rows && columns) return { rows, columns };
  return undefined;
}

/** Gives the process's terminal the size of husk's own, now and whenever that changes, until disposed of. */
export function followWindowSize(io: Pick<ProcessIo, "resize">): Disposable {
  const terminals = [process.stdout, process.stderr];
  const update = () => {
    const size = readWindowSize(terminals);
    // A process that has just ended has no size any more; whoever waits for it hears so.
    if (size !== undefined) void io.resize(size.rows, size.columns).catch(() => {});
  };
  update();
  for (const terminal of terminals) terminal.on("resize", update);
  return {
    [Symbol.dispose]() {
      for (const terminal of terminals) terminal.off("resize", update);
    },
  };
}
