import { setTimeout as delay } from "node:timers/promises";
import { abortError, throwIfAborted } from "@husk/virtcontainers/internals";

/** A fault that may be over the next time: a lost connection, a busy server. */
export class PassingError extends Error {
  override readonly name = "PassingError";
}

/** How often something is tried, and how long is waited in between. */
export interface RetryOptions {
  readonly attempts: number;
  /** milliseconds before the second attempt; doubled before each further one */
  readonly firstDelayMs: number;
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_RETRY: RetryOptions = { attempts: 4, firstDelayMs: 200 };

/**
 * Tries again what fails by a `PassingError`; any other error is final. What is waited varies by a half, so that many that
 * failed together do not come back together.
 * @throws what the last attempt threw; HuskError ERR_ABORTED
 */
export async function retry<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { attempts, firstDelayMs, signal } = options;
  for (let count = 1; ; count += 1) {
    throwIfAborted(signal);
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PassingError) || count >= attempts) throw error;
      await pause(firstDelayMs * 2 ** (count - 1) * (0.5 + Math.random()), signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    throw signal?.aborted ? abortError(signal) : error;
  }
}
