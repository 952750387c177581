import { HuskError } from "./errors/index.ts";

/** A limit in time for a wait. */
export interface Limit {
  /** milliseconds */
  readonly ms: number;
  /** what is waited for, for the error: "the guest to say READY" */
  readonly what: string;
  /** ends the wait earlier */
  readonly signal?: AbortSignal | undefined;
  /** makes the error of a passed deadline; default ERR_TIMEOUT */
  readonly onTimeout?: (() => Error) | undefined;
}

/** The error of a call that its caller ended. */
export function abortError(signal: AbortSignal): HuskError {
  return new HuskError("ERR_ABORTED", "the call was aborted", { cause: signal.reason });
}

/** @throws HuskError ERR_ABORTED when the signal has fired */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

/** A signal that fires when one of some does. */
export function anySignal(...signals: readonly (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

/**
 * Waits for a promise, but not longer than the limit. The promise itself goes on: whoever made it must see to it.
 * @throws HuskError ERR_TIMEOUT (or what `onTimeout` makes), ERR_ABORTED
 */
export function withDeadline<T>(promise: Promise<T>, limit: Limit): Promise<T> {
  const { signal, ms } = limit;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => settle(() => reject(abortError(signal as AbortSignal)));
    const timer = setTimeout(
      () => settle(() => reject(limit.onTimeout?.() ?? timeoutError(limit))),
      Math.min(ms, 0x7fff_ffff),
    );
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      finish();
    };
    promise.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}

function timeoutError(limit: Limit): HuskError {
  return new HuskError("ERR_TIMEOUT", `waited ${Math.round(limit.ms)} ms in vain for ${limit.what}`);
}
