import { watch } from "node:fs";

/** Asks again at each change in a folder, until there is an answer. @throws Error with `describe` when there is none in time */
export async function waitUntil<T>(
  folder: string,
  ask: () => Promise<T | undefined>,
  describe: () => string,
  timeoutMs: number,
): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  let changed = Promise.withResolvers<void>();
  const watcher = watch(folder, () => changed.resolve());
  deadline.onabort = () => changed.reject(new Error(describe()));
  try {
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      await changed.promise;
      changed = Promise.withResolvers();
      if (deadline.aborted) throw new Error(describe());
    }
  } finally {
    watcher.close();
    changed.promise.catch(() => {});
    deadline.onabort = null;
  }
}
