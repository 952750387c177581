import { watch } from "node:fs";

/** milliseconds after which nobody believes any more that it will come */
const LIMIT = 30_000;

/**
 * Waits until `read` finds in a growing file what it looks for; the console of a guest lags behind its agent.
 */
export async function waitForContent<T>(path: string, read: () => T | undefined): Promise<T> {
  const signal = AbortSignal.timeout(LIMIT);
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const look = () => {
    const found = read();
    if (found !== undefined) resolve(found);
  };
  const watcher = watch(path, look);
  // The timer of a signal does not keep Node alive, but the watcher does.
  signal.addEventListener("abort", () => reject(new Error(`${path} does not say what was expected`)));
  try {
    look();
    return await promise;
  } finally {
    watcher.close();
  }
}
