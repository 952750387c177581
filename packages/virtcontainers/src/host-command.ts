import { spawn } from "node:child_process";
import { abortError, throwIfAborted } from "./deadline.ts";
import { messageOf } from "./errors/index.ts";

const MAX_WORDS_BYTES = 4096;
const DEFAULT_MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Limits of a program of the host; when they are reached, it is killed. */
export interface CommandLimits {
  /** milliseconds; default: no limit */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a program of the host is given, and how much it may say. */
export interface CommandOptions extends CommandLimits {
  /** its standard input, or the descriptor of a file that is; default: none */
  readonly input?: string | Buffer | number | undefined;
  /** descriptors that it inherits, as 3 and those behind it */
  readonly descriptors?: readonly number[] | undefined;
  /** most bytes of output; a program that prints more is killed */
  readonly maxOutputBytes?: number | undefined;
}

/** How a program of the host ended. */
export interface CommandOutcome {
  /** what it printed */
  readonly stdout: Buffer;
  /** why it failed, in its own words if it has any; missing: it succeeded */
  readonly failure?: string;
}

/**
 * Runs a program of the host to its end.
 * @returns undefined when it succeeded, else why it did not, in its own words if it has any
 * @throws HuskError ERR_ABORTED
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  limits: CommandLimits,
): Promise<string | undefined> {
  return (await captureCommand(program, args, { ...limits, maxOutputBytes: 0 })).failure;
}

/**
 * Runs a program of the host to its end, and keeps what it prints, unless the limit of that is 0. Its words are English.
 * @throws HuskError ERR_ABORTED
 */
export async function captureCommand(
  program: string,
  args: readonly string[],
  { input, descriptors = [], timeoutMs, signal, maxOutputBytes = DEFAULT_MAX_OUTPUT_BYTES }: CommandOptions,
): Promise<CommandOutcome> {
  throwIfAborted(signal);
  const stdin = typeof input === "number" ? input : input === undefined ? "ignore" : "pipe";
  const child = spawn(program, args, {
    stdio: [stdin, maxOutputBytes === 0 ? "ignore" : "pipe", "pipe", ...descriptors],
    env: { ...process.env, LC_ALL: "C" },
  });
  return new Promise((resolve, reject) => {
    const output: Buffer[] = [];
    let outputBytes = 0;
    let words = "";
    let verdict: string | undefined;
    const kill = (why: string) => {
      verdict ??= why;
      child.kill("SIGKILL");
    };
    child.stderr?.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-MAX_WORDS_BYTES);
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      outputBytes += chunk.length;
      if (outputBytes > maxOutputBytes) kill(`${program} printed more than ${maxOutputBytes} bytes`);
      else output.push(chunk);
    });
    // A program that ends early does not read all of its input; it says itself why.
    child.stdin?.on("error", () => {}).end(typeof input === "number" ? undefined : input);
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => kill(`${program} did not end within ${Math.round(timeoutMs)} ms`), timeoutMs);
    const onAbort = () => kill("aborted");
    signal?.addEventListener("abort", onAbort, { once: true });
    child.once("error", (error) => {
      verdict ??= `${program} cannot be run: ${messageOf(error)}`;
    });
    child.once("close", (code, killer) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      const stdout = Buffer.concat(output);
      if (code === 0 && verdict === undefined) resolve({ stdout });
      else if (code !== 0 && signal?.aborted) reject(abortError(signal));
      else {
        const end = `${program} ended with ${killer ?? `status ${code}`}`;
        resolve({ stdout, failure: verdict ?? (words.trim() || end) });
      }
    });
  });
}
