import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";

/**
 * Copies a process's output to one of husk's own streams, no faster than that takes it.
 *
 * When that stream breaks (its reader went away), the rest of the output is thrown away so that the pod's
 * other processes are not held up, and `onBroken` is told, once.
 *
 * @returns when the output has ended
 */
export async function pumpOutput(from: Readable, to: Writable, onBroken: () => void): Promise<void> {
  const onError = () => {
    from.unpipe(to);
    from.resume();
    onBroken();
    to.off("error", onError);
    to.on("error", ignore);
  };
  to.on("error", onError);
  from.pipe(to, { end: false });
  try {
    await finished(from, { writable: false });
  } catch {
    // Output that ends too soon ends with its process, and waiting for that tells why.
  }
  to.off("error", onError);
  to.on("error", ignore);
}

/** Waits until all that was written to a stream has been taken, or nobody will take it any more. */
export function flush(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write("", () => resolve());
  });
}

function ignore(): void {}
