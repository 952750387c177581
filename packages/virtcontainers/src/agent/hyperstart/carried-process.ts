import type { GuestProcess } from "../guest-process.ts";
import { type Carrier, isShimStarter } from "../types.ts";
import type { PreparedProcess, ProcessName, ProcessStreams } from "./transport.ts";

/** A process that a session has started and carries. */
export interface CarriedProcess extends ProcessName {
  readonly process: GuestProcess;
  readonly streams: ProcessStreams;
  release(): void;
}

/** Without the control channel, what has not ended can end by its output at most, and not when that is held up. */
export function isUnreachable({ process, streams }: CarriedProcess): boolean {
  return streams.isHeldUp && !process.hasExited;
}

/** @returns undefined when a shim carries the process */
export function carriedOf(
  name: ProcessName,
  carrier: Carrier,
  prepared: PreparedProcess,
): CarriedProcess | undefined {
  const { streams } = prepared;
  if (isShimStarter(carrier) || !streams) return undefined;
  return { ...name, process: carrier, streams, release: () => prepared.release() };
}

/** A name that no other process of the pod has. */
export function keyOf({ containerId, processId }: ProcessName): string {
  return `${containerId}\0${processId}`;
}
