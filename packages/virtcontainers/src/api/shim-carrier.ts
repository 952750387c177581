import { rmSync } from "node:fs";
import type { GuestProcess } from "../agent/guest-process.ts";
import type { Carrier } from "../agent/types.ts";
import { isShimProgram } from "../config/resident-programs.ts";
import { HuskError } from "../errors/index.ts";
import { deadlineMs } from "../hypervisor/deadlines.ts";
import { withLogTail } from "../hypervisor/log-tail.ts";
import { carryByShim } from "../shim/carry-by-shim.ts";
import { exitCodeOf, readExitFile } from "../shim/exit-file.ts";
import { type StartedShim, startShim } from "../shim/start-shim.ts";
import { waitForGreeting } from "../shim/tell-shim.ts";
import type { OpenPod } from "./open-pod.ts";
import { describeLoss } from "./session.ts";
import { describeShim, type ShimmedProcess } from "./shim-files.ts";

/** How the process of a shim has ended. */
interface ShimmedEnd {
  /** whether the shim has told it */
  readonly told: boolean;
  /** undefined: it could not know */
  readonly exitCode: number | undefined;
}

/** What whoever starts a process by a shim is told of the shim. */
export interface ShimWatcher {
  /** It is about to be started. */
  beforeStart(): Promise<void>;
  onStart(shim: StartedShim, token: string): void;
  /** It has ended. */
  onEnd(shim: StartedShim, end: ShimmedEnd): void;
}

/** Who carries the streams of a process that is about to be started. */
export interface ProcessCarrier {
  readonly carrier: Carrier;
  /** fires when the shim has ended although its process has not begun, with the error */
  readonly failed: AbortSignal;
  /**
   * The process has begun: waits until its shim is there, too. From then on the shim's end is the process's.
   * @throws HuskError ERR_SHIM_START, ERR_TIMEOUT, ERR_ABORTED
   */
  begin(): Promise<void>;
  /** Starts the shim, if the process has one. */
  readonly startShim?: (token: string) => Promise<void>;
}

/** This process carries the streams, or a shim does. */
export function carrierFor(
  pod: OpenPod,
  process: ShimmedProcess,
  io: GuestProcess,
  watcher: ShimWatcher,
): ProcessCarrier {
  const failure = new AbortController();
  const { signal: failed } = failure;
  const ended = Promise.withResolvers<void>();
  let hasBegun = false;
  let greeted: Promise<boolean> | undefined;
  const begin = async () => {
    // A shim that has ended without a word may have done all that there was to do.
    if (greeted && !(await greeted)) await ended.promise;
    failed.throwIfAborted();
    hasBegun = true;
  };
  if (!isShimProgram(pod.record.config)) return { carrier: io, failed, begin };
  const start = async (token: string) => {
    await watcher.beforeStart();
    const description = describeShim(pod, process, token);
    const { attachSocket, exitFile } = description;
    const shim = await startShim(description);
    watcher.onStart(shim, token);
    const timeoutMs = deadlineMs("shim", pod.hypervisor.deadlineFactor);
    greeted = waitForGreeting(attachSocket, { timeoutMs, signal: pod.call.signal });
    greeted.catch(() => {});
    shim.child.once("exit", (code) => {
      if (!hasBegun && !readExitFile(exitFile)) failure.abort(endedTooSoon(pod, code));
      ended.resolve();
    });
    void carryByShim(io, shim.child, attachSocket).then((status) => {
      const exit = readExitFile(exitFile);
      if (!process.isFirst) forget(description);
      const exitCode = exit ? exitCodeOf(exit) : status;
      watcher.onEnd(shim, { told: exit !== undefined, exitCode });
      void tell(pod, io, exitCode);
    });
  };
  const carrier = { terminal: process.cmd.interactive === true, startShim: start };
  return { carrier, failed, begin, startShim: start };
}

/** What the shim of another process than a container's first leaves is for its caller alone. */
function forget({ exitFile, attachSocket }: { exitFile: string; attachSocket: string }): void {
  for (const path of [exitFile, attachSocket]) rmSync(path, { force: true });
}

/** Tells whoever waits for a process how it ended. A shim that was killed ends as its process would have. */
async function tell(pod: OpenPod, io: GuestProcess, exitCode: number | undefined): Promise<void> {
  if (exitCode === undefined) return io.fail(await describeLoss(pod, "shim"));
  io.endOutput();
  io.exit(exitCode);
}

function endedTooSoon(pod: OpenPod, status: number | null): HuskError {
  const how = status === null ? "was killed" : `ended with status ${status}`;
  const text = `the shim ${how} before its process began`;
  const log = pod.directory.file("shimLog");
  return new HuskError("ERR_SHIM_START", withLogTail(text, "shim.log ends with", log), { podId: pod.id });
}
