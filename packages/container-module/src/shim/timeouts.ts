import { deadlineFactor } from "@husk/virtcontainers/internals";

/** Milliseconds for what a shim does by itself: files, processes that end. */
const OWN_MS = 15_000;
/** Milliseconds after SIGKILL, until a process counts as one that cannot be ended. */
const KILL_MS = 5_000;

/** Milliseconds for a shim to begin: `create`, `start`, and `delete` of what was there or has failed. */
export function startTimeoutMs(commandMs: number): number {
  return (OWN_MS + 4 * commandMs) * stretch();
}

/** Milliseconds that a killed process gets. */
export function killTimeoutMs(): number {
  return KILL_MS * stretch();
}

/** Milliseconds for a shim to stop its container: something else may be going on in it. */
export function stopTimeoutMs(commandMs: number, graceMs: number): number {
  return (OWN_MS + 3 * commandMs) * stretch() + graceMs + killTimeoutMs();
}

/** Milliseconds for a shim to answer, or to end. */
export function answerTimeoutMs(): number {
  return OWN_MS * stretch();
}

/** The machine's slowness. Commands of VMs have their own, for the accelerator. */
function stretch(): number {
  return deadlineFactor("kvm");
}
