import { spawn } from "node:child_process";
import { abortError, throwIfAborted } from "./deadline.ts";

const MAX_WORDS_BYTES = 4096;

/** Limits of a program of the host; when they are reached, it is killed. */
export interface CommandLimits {
  /** milliseconds; default: no limit */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program of the host to its end.
 * @returns undefined when it succeeded, else why it did not, in its own words if it has any
 * @throws HuskError ERR_ABORTED
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  { timeoutMs, signal }: CommandLimits,
): Promise<string | undefined> {
  throwIfAborted(signal);
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  return new Promise((resolve, reject) => {
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-MAX_WORDS_BYTES);
    });
    const onAbort = () => child.kill("SIGKILL");
    signal?.addEventListener("abort", onAbort, { once: true });
    child.once("error", (error) => {
      words = `${program} cannot be run: ${error.message}`;
    });
    child.once("close", (code, killer) => {
      signal?.removeEventListener("abort", onAbort);
      if (code === 0) resolve(undefined);
      else if (signal?.aborted) reject(abortError(signal));
      else resolve(words.trim() || `${program} ended with ${killer ?? `status ${code}`}`);
    });
  });
}
