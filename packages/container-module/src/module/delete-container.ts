import { HuskError } from "@husk/virtcontainers";
import { throwIfAborted } from "@husk/virtcontainers/internals";
import { startTimeoutMs } from "../shim/timeouts.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import { lockContainer } from "../state/lock-container.ts";
import type { DeleteOptions } from "../types.ts";
import { checkDeleteOptions } from "./call-rules.ts";
import type { ModuleContext } from "./context.ts";
import { removeLog } from "./remove-log.ts";
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
  const lock = await lockContainer(places, { timeoutMs: startTimeoutMs(OTHERS_COMMAND_MS), signal });
  if (lock === "busy") throw stillBusy(places);
  if (lock === "gone") {
    if (isLogToGo) removeLog(places);
    return;
  }
  using _ = lock;
  await tearDown(context, places, { graceMs, removeLog: isLogToGo, signal });
}

function stillBusy({ ns, name }: ContainerPlaces): HuskError {
  const text = `the container "${name}" in "${ns}" is still being made or changed`;
  return new HuskError("ERR_TIMEOUT", text, { containerId: name });
}
