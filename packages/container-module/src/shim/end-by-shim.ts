import { closeSync, existsSync } from "node:fs";
import { HuskError, isHuskError } from "@husk/virtcontainers";
import {
  DirectoryWatch,
  type FileLock,
  lockFile,
  openLockFile,
  withDeadline,
} from "@husk/virtcontainers/internals";
import type { ContainerPlaces } from "../state/layout.ts";
import { isContainerAlive, isShimAlive, readShimState } from "../state/shim-state.ts";
import { callShim, ShimFaultError, type ShimLimits } from "./shim-connection.ts";
import { startShim } from "./start-shim.ts";
import { answerTimeoutMs, killTimeoutMs, startTimeoutMs, stopTimeoutMs } from "./timeouts.ts";

const SIGTERM = 15;

/** How a container is ended. */
export interface ShimEnd {
  /** absolute path of the shim's program */
  readonly program: string;
  /** milliseconds between SIGTERM and SIGKILL */
  readonly graceMs: number;
  /** milliseconds that a command of its runtime may take */
  readonly commandTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Ends a container by its shim, and then the shim. One that is dead is replaced, if its container runs; one that does not
 * answer is killed, and its container is the runtime's to remove.
 * @returns the lock that a shim has as long as it lives: as long as it is held, none can begin that was started by somebody dead
 * @throws HuskError ERR_CONTAINER_STUCK, ERR_RUNTIME, ERR_ABORTED, ERR_TIMEOUT
 */
export async function endByShim(places: ContainerPlaces, end: ShimEnd): Promise<FileLock> {
  const free = await lockShim(places);
  if (free) {
    const state = readShimState(places);
    if (!state || !isContainerAlive(state)) return free;
    free.release();
    const still = await replaceShim(places, end);
    if (still) return still;
  }
  try {
    return await stopAndQuit(places, end);
  } catch (error) {
    if (error instanceof ShimFaultError) throw faultError(places, error);
    if (isHuskError(error, "ERR_ABORTED")) throw error;
    killShim(places);
    return untilGone(places, { timeoutMs: answerTimeoutMs(), signal: end.signal });
  }
}

async function stopAndQuit(
  places: ContainerPlaces,
  { graceMs, commandTimeoutMs, signal }: ShimEnd,
): Promise<FileLock> {
  const limits = { timeoutMs: answerTimeoutMs(), signal };
  await untilListening(places, limits);
  const stop = { method: "stop", signal: SIGTERM, graceMs, killMs: killTimeoutMs() } as const;
  await callShim(places.socket, stop, { timeoutMs: stopTimeoutMs(commandTimeoutMs, graceMs), signal });
  await callShim(places.socket, { method: "quit" }, limits);
  return untilGone(places, limits);
}

/** @returns undefined: a shim lives, whatever it has written down */
async function lockShim({ shimLock }: ContainerPlaces, limits?: ShimLimits): Promise<FileLock | undefined> {
  closeSync(openLockFile(shimLock));
  return lockFile(shimLock, { mode: "exclusive", wait: limits !== undefined, ...limits });
}

/**
 * Starts a shim for a container that runs, whose SIGTERM and grace are a shim's to give.
 * @returns the lock when there can be none
 */
async function replaceShim(
  places: ContainerPlaces,
  { program, commandTimeoutMs, signal }: ShimEnd,
): Promise<FileLock | undefined> {
  try {
    await startShim(places, { program, timeoutMs: startTimeoutMs(commandTimeoutMs), signal });
    return undefined;
  } catch (error) {
    if (isHuskError(error, "ERR_ABORTED")) throw error;
    return lockShim(places);
  }
}

/** A shim holds its lock a moment before it listens. @throws HuskError ERR_TIMEOUT, ERR_ABORTED */
async function untilListening(
  { run, socket }: ContainerPlaces,
  { timeoutMs: ms, signal }: ShimLimits,
): Promise<void> {
  using watch = new DirectoryWatch(run);
  for (let change = watch.next(); !existsSync(socket); change = watch.next()) {
    await withDeadline(change, { ms, signal, what: "the shim to listen" });
  }
}

/** @throws HuskError ERR_TIMEOUT, ERR_ABORTED */
async function untilGone(places: ContainerPlaces, limits: ShimLimits): Promise<FileLock> {
  const lock = await lockShim(places, limits);
  if (lock) return lock;
  const text = `the shim of "${places.name}" has not ended within ${Math.round(limits.timeoutMs)} ms`;
  throw new HuskError("ERR_TIMEOUT", text, { containerId: places.name });
}

function killShim(places: ContainerPlaces): void {
  const state = readShimState(places);
  if (!state || !isShimAlive(places, state)) return;
  try {
    process.kill(state.shimPid, "SIGKILL");
  } catch {
    // It has just ended, which is what was wanted.
  }
}

function faultError({ ns, name }: ContainerPlaces, { fault }: ShimFaultError): HuskError {
  const text = `the container "${name}" in "${ns}" cannot be stopped: ${fault.runtimeLog ?? fault.message}`;
  return new HuskError(fault.code === "stuck" ? "ERR_CONTAINER_STUCK" : "ERR_RUNTIME", text, {
    containerId: name,
  });
}
