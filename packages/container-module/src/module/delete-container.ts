import { HuskError, isHuskError } from "@husk/virtcontainers";
import { type FileLock, throwIfAborted } from "@husk/virtcontainers/internals";
import { startTimeoutMs } from "../shim/timeouts.ts";
import { claimName } from "../state/claim.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import { lockContainer } from "../state/lock-container.ts";
import type { DeleteOptions } from "../types.ts";
import { checkDeleteOptions } from "./call-rules.ts";
import type { ModuleContext } from "./context.ts";
import { hasLog } from "./remove-log.ts";
import { tearDown } from "./tear-down.ts";

/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE_MS = 3_000;
/** Milliseconds of a command that somebody else may be waiting for. */
const OTHERS_COMMAND_MS = 60_000;

/**
 * Stops a container and removes it; of one that is not there, what is left of its log if that is wanted.
 * @throws HuskError as `ContainerModule.delete` tells
 */
export async function deleteContainer(
  context: ModuleContext,
  places: ContainerPlaces,
  options: DeleteOptions,
): Promise<void> {
  checkDeleteOptions(options, "options");
  const { graceMs = GRACE_MS, removeLog: isLogToGo = false, signal } = options;
  throwIfAborted(signal);
  using lock = await takeName(context, places, { isLogToGo, signal });
  if (lock) await tearDown(context, places, { graceMs, removeLog: isLogToGo, signal });
}

/**
 * Takes the lock of a container. The name of one that is not there, but has left a log that is to go, is claimed: the log of the
 * next one of that name is at the same path.
 * @returns undefined when there is nothing to delete
 */
async function takeName(
  { directories }: ModuleContext,
  places: ContainerPlaces,
  { isLogToGo, signal }: { isLogToGo: boolean; signal: AbortSignal | undefined },
): Promise<FileLock | undefined> {
  for (;;) {
    const lock = await lockContainer(places, { timeoutMs: startTimeoutMs(OTHERS_COMMAND_MS), signal });
    if (lock === "busy") throw stillBusy(places);
    if (lock !== "gone") return lock;
    if (!isLogToGo || !hasLog(places)) return undefined;
    try {
      return await claimName(directories.stateRoot, places);
    } catch (error) {
      // Somebody has run one meanwhile: that is the one to delete.
      if (!isHuskError(error, "ERR_CONTAINER_EXISTS")) throw error;
    }
  }
}

function stillBusy({ ns, name }: ContainerPlaces): HuskError {
  const text = `the container "${name}" in "${ns}" is still being made or changed`;
  return new HuskError("ERR_TIMEOUT", text, { containerId: name });
}
