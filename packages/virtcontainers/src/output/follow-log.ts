import { systemCode } from "../errors/index.ts";
import type { LogEntry } from "../types/index.ts";
import { DirectoryWatch } from "./directory-watch.ts";
import type { LogReader } from "./log-reader.ts";

/**
 * Gives the entries of a log that are there, then those that come, in blocks.
 * @param directory where the log is
 * @param ended settles when nothing is going to be written any more
 * @throws Error what `ended` is rejected with, when all has been read
 */
export async function* followLog(
  reader: LogReader,
  directory: string,
  ended: Promise<unknown>,
): AsyncGenerator<LogEntry[]> {
  using watch = openWatch(directory);
  let isOver = false;
  const over = ended.finally(() => {
    isOver = true;
    watch?.wake();
  });
  over.catch(() => {});
  for (;;) {
    // In this order: what comes after the look at it is read in the next turn.
    const change = watch?.next();
    const isLast = isOver || !change;
    yield* reader.readNew();
    if (isLast) break;
    await change;
  }
  await reader.expectEnd();
  await over;
}

/** A directory that is not there is one of a container that was never started, or of a pod that is gone. */
function openWatch(path: string): DirectoryWatch | undefined {
  try {
    return new DirectoryWatch(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
