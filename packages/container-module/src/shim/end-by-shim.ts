import { existsSync } from "node:fs";
import { HuskError, isHuskError } from "@husk/virtcontainers";
import { DirectoryWatch, lockFile, systemCode, withDeadline } from "@husk/virtcontainers/internals";
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
 * @throws HuskError ERR_CONTAINER_STUCK, ERR_RUNTIME, ERR_ABORTED
 */
export async function endByShim(places: ContainerPlaces, end: ShimEnd): Promise<void> {
  if (!(await isShimThere(places)) && !(await replaceShim(places, end))) return;
  try {
    await stopAndQuit(places, end);
  } catch (error) {
    if (error instanceof ShimFaultError) throw faultError(places, error);
    if (isHuskError(error, "ERR_ABORTED")) throw error;
    killShim(places);
    await untilGone(places, { timeoutMs: answerTimeoutMs(), signal: end.signal });
  }
}

async function stopAndQuit(
  places: ContainerPlaces,
  { graceMs, commandTimeoutMs, signal }: ShimEnd,
): Promise<void> {
  const limits = { timeoutMs: answerTimeoutMs(), signal };
  await untilListening(places, limits);
  const stop = { method: "stop", signal: SIGTERM, graceMs, killMs: killTimeoutMs() } as const;
  await callShim(places.socket, stop, { timeoutMs: stopTimeoutMs(commandTimeoutMs, graceMs), signal });
  await callShim(places.socket, { method: "quit" }, limits);
  await untilGone(places, limits);
}

/** Whether a shim lives, whatever it has written down: it holds its lock. */
async function isShimThere({ shimLock }: ContainerPlaces): Promise<boolean> {
  if (!existsSync(shimLock)) return false;
  const lock = await lockFile(shimLock, { mode: "exclusive", wait: false });
  lock?.release();
  return lock === undefined;
}

/** Of a container that runs, SIGTERM and a grace are a shim's to give. @returns whether there is one now */
async function replaceShim(
  places: ContainerPlaces,
  { program, commandTimeoutMs, signal }: ShimEnd,
): Promise<boolean> {
  const state = readShimState(places);
  if (!state || !isContainerAlive(state)) return false;
  try {
    await startShim(places, { program, timeoutMs: startTimeoutMs(commandTimeoutMs), signal });
    return true;
  } catch (error) {
    if (isHuskError(error, "ERR_ABORTED")) throw error;
    return isShimThere(places);
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
async function untilGone(
  { shimLock, name }: ContainerPlaces,
  { timeoutMs, signal }: ShimLimits,
): Promise<void> {
  try {
    const lock = await lockFile(shimLock, { mode: "exclusive", timeoutMs, signal });
    if (!lock)
      throw new HuskError("ERR_TIMEOUT", `the shim of "${name}" has not ended within ${timeoutMs} ms`);
    lock.release();
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
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
