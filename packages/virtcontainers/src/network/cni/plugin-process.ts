import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { abortError, throwIfAborted, withDeadline } from "../../deadline.ts";
import { messageOf } from "../../errors/index.ts";

/** Most that is taken of what a plugin prints, in bytes. */
const MAX_STDOUT_BYTES = 1024 * 1024;
/** How much of the end of its complaints is kept, in bytes. */
const MAX_STDERR_BYTES = 4096;
/** How long the output of a plugin that has ended is awaited, in milliseconds: a program that it left may hold it open. */
const OUTPUT_MS = 1_000;

/** How a plugin is run. */
export interface PluginRun {
  /** path of the program */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** what it reads on its standard input */
  readonly input: string;
  /** milliseconds that it may take */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a plugin has ended. */
export interface PluginEnd {
  /** what it printed, whole unless there was a problem */
  readonly stdout: string;
  /** the end of its complaints */
  readonly stderr: string;
  /** what went wrong: `ended with status 1`; missing: nothing */
  readonly problem?: string;
  /** whether it printed more than is taken */
  readonly flooded: boolean;
}

type PluginChild = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Runs a plugin and waits for its end. It has its own process group, which is killed as a whole when it overruns its
 * limit, prints too much, or the call is aborted; it is killed as well when this process dies, so that nothing makes links
 * behind the back of who cleans up.
 * @throws HuskError ERR_ABORTED
 */
export async function runPluginProcess(run: PluginRun): Promise<PluginEnd> {
  const { program, env, input, limitMs, signal } = run;
  throwIfAborted(signal);
  const child: PluginChild = spawn("setpriv", ["--pdeathsig", "KILL", "--", program], {
    env,
    cwd: "/",
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stopped: string | undefined;
  const stop = (reason: string) => {
    stopped ??= reason;
    killGroup(child);
  };
  const onAbort = () => stop("aborted");
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(
    () => stop(`did not end within ${Math.round(limitMs)} ms and was killed`),
    limitMs,
  );
  const stdout = keepStart(child.stdout, () =>
    stop(`printed more than ${MAX_STDOUT_BYTES} bytes and was killed`),
  );
  const stderr = keepEnd(child.stderr);
  // A plugin need not read its input.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  try {
    const ended = await waitForEnd(child);
    if (stopped && signal?.aborted) throw abortError(signal);
    const problem = stopped ?? ended;
    const flooded = stdout().length > MAX_STDOUT_BYTES;
    return {
      stdout: stdout().toString(),
      stderr: stderr().toString(),
      flooded,
      ...(problem ? { problem } : {}),
    };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Settles when the process has been reaped and its output read; with what went wrong, if something did. */
async function waitForEnd(child: PluginChild): Promise<string | undefined> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const problem = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(`cannot be run: ${messageOf(error)}`));
    child.once("exit", (code, killer) => {
      if (code === 0) resolve(undefined);
      else resolve(killer ? `was ended by ${killer}` : `ended with status ${code}`);
    });
  });
  await withDeadline(closed, { ms: OUTPUT_MS, what: "the end of a plugin's output" }).catch(() => {});
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  return problem;
}

function killGroup({ pid }: PluginChild): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended, which is what was wanted.
  }
}

/** Takes a stream's beginning. @returns tells what has come */
function keepStart(stream: Readable, onOverflow: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    if (bytes > MAX_STDOUT_BYTES) return;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_STDOUT_BYTES) onOverflow();
  });
  return () => Buffer.concat(chunks);
}

/** Takes a stream's end. @returns tells the last bytes that have come */
function keepEnd(stream: Readable): () => Buffer {
  let kept = Buffer.alloc(0);
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-MAX_STDERR_BYTES);
  });
  return () => kept;
}
