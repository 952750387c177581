import { exitCodeOf, readExitFile } from "../shim/exit-file.ts";
import type { PodDirectory } from "../store/pod-directory.ts";
import type { ContainerRecord, PodRecord } from "../store/pod-record.ts";
import { isProcessAlive } from "../store/process-identity.ts";
import type { LivePod } from "./live-pod.ts";
import { markStopped } from "./mark-stopped.ts";

/** Whether a container has a first process in the guest, be it one that waits to begin, and has not been seen to end. */
function isThere({ state, prepared }: ContainerRecord): boolean {
  return state === "running" || state === "paused" || prepared !== undefined;
}

/** Notes the ends of containers that their shims have written down. */
export function noteShimExits(record: PodRecord, directory: PodDirectory, live: LivePod): void {
  for (const [containerId, container] of Object.entries(record.containers)) {
    // One that ended with its VM may have told before.
    const isUnknown = container.state === "stopped" && container.exitCode === undefined;
    if (!container.ownShim || !(isThere(container) || isUnknown)) continue;
    const exit = readExitFile(directory.containerFile(containerId, "exit"));
    if (!exit) continue;
    const exitCode = exitCodeOf(exit) ?? live.exits.get(containerId);
    if (!live.exits.has(containerId)) live.noteExit(containerId, exitCode);
    markStopped(container, exitCode);
  }
}

/** Containers whose shims have died without telling how their processes ended: those may still run. */
export function orphansOf({ containers }: PodRecord): string[] {
  return Object.keys(containers).filter((containerId) => {
    const container = containers[containerId];
    return container?.ownShim && isThere(container) && !isProcessAlive(container.ownShim);
  });
}
