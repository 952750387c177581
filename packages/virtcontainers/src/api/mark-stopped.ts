import type { ContainerRecord } from "../store/pod-record.ts";

/** Notes in a record that a container has ended; undefined: it is not known how. */
export function markStopped(container: ContainerRecord, exitCode: number | undefined): void {
  container.state = "stopped";
  delete container.pausedAlone;
  delete container.prepared;
  if (exitCode !== undefined) container.exitCode = exitCode;
}
