import { readFileSync } from "node:fs";
import { isProcessAlive } from "@husk/virtcontainers/internals";
import { parseShimState, type ShimState } from "@husk/wire/module-shim";
import type { ContainerPlaces } from "./layout.ts";
import { readShimFile } from "./read-shim-file.ts";

/**
 * Reads what a container's shim has written down last.
 * @returns undefined when there was no shim yet
 * @throws HuskError ERR_STATE_CORRUPT, ERR_STORE
 */
export function readShimState({ state }: Pick<ContainerPlaces, "state">): ShimState | undefined {
  return readShimFile(state, "state", parseShimState);
}

/** Whether the shim that wrote a state lives: it has its plan as an argument, which no other process has. */
export function isShimAlive({ plan }: Pick<ContainerPlaces, "plan">, { shimPid }: ShimState): boolean {
  try {
    return readFileSync(`/proc/${shimPid}/cmdline`, "utf8").split("\0").includes(plan);
  } catch {
    return false;
  }
}

/** Whether the container's process runs, of which a state tells. */
export function isContainerAlive({ pid, pidStartTime, bootId }: ShimState): boolean {
  if (pid === undefined || pidStartTime === undefined || bootId !== readBootId()) return false;
  return isProcessAlive({ pid, startTime: String(pidStartTime) });
}

/** Whether there is something for a shim to do: the container runs, or is to, or its last shim died before it had removed it. */
export function needsShim({ state, unremoved }: ShimState): boolean {
  return unremoved === true || state === "creating" || state === "running" || state === "restarting";
}

let bootId: string | undefined;

/** What tells this run of the machine from others. */
function readBootId(): string {
  bootId ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return bootId;
}
