import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { HuskError } from "@husk/virtcontainers";
import { cleanText, messageOf, withDeadline } from "@husk/virtcontainers/internals";
import {
  MAX_START_REPORT_BYTES,
  parseStartReport,
  type StartFault,
  type StartReport,
} from "@husk/wire/module-shim";
import type { ContainerPlaces } from "../state/layout.ts";

const NEWLINE = 10;

/** How a shim is started. */
export interface ShimStart {
  /** absolute path of its program */
  readonly program: string;
  /** milliseconds for the container's start */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Starts a container's shim, in a session of its own, and waits until the container runs: whatever becomes of us, the shim
 * goes on. When the wait fails, so does the shim: what it has made must be ended by its socket.
 * @returns the container's process, if there is one to run
 * @throws HuskError ERR_SHIM_START, ERR_RUNTIME when the container cannot be started, ERR_TIMEOUT, ERR_ABORTED
 */
export async function startShim(places: ContainerPlaces, start: ShimStart): Promise<number | undefined> {
  mkdirSync(places.run, { recursive: true, mode: 0o700 });
  const child = spawnShim(places, start.program);
  try {
    const what = `the container "${places.name}" to start`;
    const report = await withDeadline(readReport(child), { ms: start.timeoutMs, signal: start.signal, what });
    if ("error" in report) throw startError(places, report.error);
    return report.pid;
  } finally {
    child.stdout?.destroy();
    child.unref();
  }
}

function spawnShim({ plan, shimLog }: ContainerPlaces, program: string): ChildProcess {
  const log = openSync(shimLog, "a", 0o600);
  try {
    return spawn(program, [plan], { stdio: ["ignore", "pipe", log], cwd: "/", detached: true, env: {} });
  } finally {
    closeSync(log);
  }
}

/** The line in which a shim says how the start went. It closes its stdout then. */
async function readReport(child: ChildProcess): Promise<StartReport> {
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  try {
    return parseStartReport(await Promise.race([readLine(child), failed]));
  } catch (cause) {
    throw new HuskError("ERR_SHIM_START", `the shim does not start: ${messageOf(cause)}`, {
      hint: "shim.log in the container's directory may tell why.",
      cause,
    });
  }
}

async function readLine(child: ChildProcess): Promise<Uint8Array> {
  let line: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  for await (const chunk of child.stdout ?? []) {
    line = Buffer.concat([line, chunk as Buffer]);
    const end = line.indexOf(NEWLINE);
    if (end >= 0) return line.subarray(0, end);
    if (line.length > MAX_START_REPORT_BYTES) throw new Error("it says too much");
  }
  throw new Error("it has ended without a word");
}

function startError({ ns, name }: ContainerPlaces, { step, message, runtimeLog }: StartFault): HuskError {
  const words = cleanText(runtimeLog ?? message);
  const isRuntime = step === "create" || step === "start";
  const text = `the container "${name}" in "${ns}" cannot be started (${step}): ${words}`;
  return new HuskError(isRuntime ? "ERR_RUNTIME" : "ERR_SHIM_START", text, { containerId: name });
}
