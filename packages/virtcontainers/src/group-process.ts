import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { abortError, throwIfAborted, withDeadline } from "./deadline.ts";
import { messageOf } from "./errors/index.ts";

/** How much of the end of an output is kept that may be of any length, in bytes. */
const MAX_END_BYTES = 4096;
/** How long the output of a program that has ended is awaited, in milliseconds: another that it left may hold it open. */
const OUTPUT_MS = 1_000;

/** A program of somebody else's that is run to its end. */
export interface GroupRun {
  readonly program: string;
  readonly args: readonly string[];
  /** what it is called; default: `program` */
  readonly argv0?: string | undefined;
  /** all of its environment */
  readonly env: Readonly<Record<string, string>>;
  /** what it may read on its standard input */
  readonly input: string;
  /** milliseconds that it may take; default: no limit */
  readonly limitMs?: number | undefined;
  /** most bytes that it may print; default: any number, of which the end is kept */
  readonly maxOutputBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How such a program has ended. */
export interface GroupEnd {
  /** what it printed, or the end of that */
  readonly stdout: string;
  /** the end of its complaints */
  readonly stderr: string;
  /** what went wrong: `ended with status 1`; missing: nothing */
  readonly problem?: string | undefined;
  /** why it was killed, if it was */
  readonly killedFor?: "timeout" | "output" | undefined;
}

type GroupChild = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Runs a program and waits for its end. It has a process group of its own, which is killed as a whole when it overruns its
 * limit, prints too much, or the call is aborted.
 * @throws HuskError ERR_ABORTED
 */
export async function runGroupProcess(run: GroupRun): Promise<GroupEnd> {
  const { signal, limitMs, maxOutputBytes } = run;
  throwIfAborted(signal);
  const child = start(run);
  let killedFor: "timeout" | "output" | "abort" | undefined;
  const kill = (reason: NonNullable<typeof killedFor>) => {
    killedFor ??= reason;
    killGroup(child);
  };
  const onAbort = () => kill("abort");
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = limitMs === undefined ? undefined : setTimeout(() => kill("timeout"), limitMs);
  const stdout =
    maxOutputBytes === undefined
      ? keepEnd(child.stdout)
      : keepStart(child.stdout, maxOutputBytes, () => kill("output"));
  const stderr = keepEnd(child.stderr);
  try {
    const problem = await waitForEnd(child);
    if (killedFor === "abort" && signal) throw abortError(signal);
    return { stdout: stdout().toString(), stderr: stderr().toString(), ...tellKill(killedFor, run, problem) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function start({ program, args, argv0, env, input }: GroupRun): GroupChild {
  const child: GroupChild = spawn(program, args, {
    ...(argv0 === undefined ? {} : { argv0 }),
    env,
    cwd: "/",
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  // Nobody need read their input.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return child;
}

function tellKill(
  killedFor: "timeout" | "output" | "abort" | undefined,
  { limitMs = 0, maxOutputBytes }: GroupRun,
  problem: string | undefined,
): Pick<GroupEnd, "problem" | "killedFor"> {
  switch (killedFor) {
    case "timeout":
      return { killedFor, problem: `did not end within ${Math.round(limitMs)} ms and was killed` };
    case "output":
      return { killedFor, problem: `printed more than ${maxOutputBytes} bytes and was killed` };
    default:
      return { problem };
  }
}

/** Settles when the process has been reaped and its output read; with what went wrong, if something did. */
async function waitForEnd(child: GroupChild): Promise<string | undefined> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const problem = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(`cannot be run: ${messageOf(error)}`));
    child.once("exit", (code, killer) => {
      if (code === 0) resolve(undefined);
      else resolve(killer ? `was ended by ${killer}` : `ended with status ${code}`);
    });
  });
  await withDeadline(closed, { ms: OUTPUT_MS, what: "the end of a program's output" }).catch(() => {});
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  return problem;
}

function killGroup({ pid }: GroupChild): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended, which is what was wanted.
  }
}

/** Takes a stream's beginning. @returns tells what has come */
function keepStart(stream: Readable, maxBytes: number, onOverflow: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    if (bytes > maxBytes) return;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) onOverflow();
  });
  return () => Buffer.concat(chunks);
}

/** Takes a stream's end. @returns tells the last bytes that have come */
function keepEnd(stream: Readable): () => Buffer {
  let kept = Buffer.alloc(0);
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-MAX_END_BYTES);
  });
  return () => kept;
}
