import { join } from "node:path";
import type { Workplace } from "./workplace.ts";

/** What a process of its own does: some calls of the library, in the last of which it kills itself. */
export interface DoomedCall {
  /** names and arguments of the calls */
  readonly calls: readonly (readonly [name: string, ...args: unknown[]])[];
  /** index of the phase of the last call at which the process kills itself; missing: it does not */
  readonly dieAt?: number;
  /** phases that do not count */
  readonly skip?: readonly string[];
}

const WORKER = join(import.meta.dirname, "doomed-call-worker.ts");

/**
 * Lets another process make calls of the library and kill itself (SIGKILL) in the last.
 * @returns the phase at which it died; undefined when the calls were done before
 * @throws Error when a call failed
 */
export async function makeDoomedCall(place: Workplace, doomed: DoomedCall): Promise<string | undefined> {
  const { ended } = place.startProgram(process.execPath, [WORKER, JSON.stringify(doomed)]);
  const { status, stdout, stderr } = await ended;
  if (status === 0) return undefined;
  if (status !== -1) throw new Error(`the calls failed: ${stderr}`);
  return stdout.toString().split("\n").at(-2);
}
