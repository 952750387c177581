import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { abortError, withDeadline } from "../deadline.ts";
import { HuskError, messageOf } from "../errors/index.ts";
import type { Hook } from "../types/index.ts";
import { cleanText } from "../untrusted-text.ts";
import type { OciState } from "./oci-state.ts";

/** How much of the end of each output is kept for the error, in bytes. */
const MAX_OUTPUT_BYTES = 4096;
/** How long the output of a hook that has ended is awaited, in milliseconds: a program that it left may hold it open. */
const OUTPUT_MS = 1_000;

type HookProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Runs a hook and waits until it has ended. It gets the pod's state on its standard input and the environment that it is
 * given, nothing else. One that overruns its timeout, or whose call is aborted, is killed with its process group.
 * @param what what it is called in errors: "the PreStart hook"
 * @throws HuskError ERR_HOOK_FAILED with its output, ERR_HOOK_TIMEOUT, ERR_ABORTED
 */
export async function runHook(
  hook: Hook,
  state: OciState,
  what: string,
  signal?: AbortSignal,
): Promise<void> {
  if (signal?.aborted) throw abortError(signal);
  const name = `${what} ${hook.path}`;
  const [argv0 = hook.path, ...args] = hook.args ?? [];
  const child: HookProcess = spawn(hook.path, args, {
    argv0,
    env: Object.fromEntries((hook.env ?? []).map(splitVariable)),
    cwd: "/",
    // A process group of its own, which can be killed as a whole.
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const [stdout, stderr] = [keepEnd(child.stdout), keepEnd(child.stderr)];
  const ended = waitForEnd(child);
  // A hook need not read its input.
  child.stdin.on("error", () => {});
  child.stdin.end(`${JSON.stringify(state)}\n`);
  const told = () => outputText(stdout(), stderr());

  let stopped: "timeout" | "abort" | undefined;
  const stop = (reason: "timeout" | "abort") => {
    stopped ??= reason;
    killGroup(child);
  };
  const onAbort = () => stop("abort");
  const timer = hook.timeout ? setTimeout(() => stop("timeout"), hook.timeout * 1000) : undefined;
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const problem = await ended;
    if (stopped === "abort" && signal) throw abortError(signal);
    if (stopped === "timeout") {
      const text = `${name} did not end within ${hook.timeout} s and was killed${told()}`;
      throw new HuskError("ERR_HOOK_TIMEOUT", text, { podId: state.id });
    }
    if (problem) throw new HuskError("ERR_HOOK_FAILED", `${name} ${problem}${told()}`, { podId: state.id });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Settles when the process has been reaped and its output read; with what went wrong, if something did. */
async function waitForEnd(child: HookProcess): Promise<string | undefined> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const problem = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(`cannot be run: ${messageOf(error)}`));
    child.once("exit", (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(signal ? `was ended by ${signal}` : `ended with status ${code}`);
    });
  });
  await withDeadline(closed, { ms: OUTPUT_MS, what: "the end of a hook's output" }).catch(() => {});
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  return problem;
}

function killGroup({ pid }: HookProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended, which is what was wanted.
  }
}

/** Reads a stream to its end. @returns tells the last bytes that have come */
function keepEnd(stream: Readable): () => Buffer {
  let kept = Buffer.alloc(0);
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-MAX_OUTPUT_BYTES);
  });
  return () => kept;
}

function outputText(stdout: Buffer, stderr: Buffer): string {
  const parts = Object.entries({ stdout, stderr }).map(([name, bytes]) => {
    const text = cleanText(bytes.toString()).trim();
    return text === "" ? "" : `; ${name}: ${text}`;
  });
  return parts.join("");
}

function splitVariable(variable: string): [name: string, value: string] {
  const at = variable.indexOf("=");
  return [variable.slice(0, at), variable.slice(at + 1)];
}
