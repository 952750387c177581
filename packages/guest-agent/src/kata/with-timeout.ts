import { startTimer, stopTimer } from "@husk/tiny";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";

/** Waits for `done`, but not longer than the timeout in milliseconds; 0 waits for ever. @throws TtrpcError DEADLINE_EXCEEDED */
export function withTimeout(done: Promise<void>, timeoutMs: number, what: string): Promise<void> {
  if (timeoutMs === 0) return done;
  return new Promise((resolve, reject) => {
    const timer = startTimer(timeoutMs, () => {
      reject(new TtrpcError(StatusCode.DEADLINE_EXCEEDED, `${what} takes longer than ${timeoutMs} ms`));
    });
    done.then(
      () => {
        stopTimer(timer);
        resolve();
      },
      (error) => {
        stopTimer(timer);
        reject(error);
      },
    );
  });
}
