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
  /** further options of the last call */
  readonly options?: object;
}

/** Phases after which nothing is there that was not before: to die there is to die before the next. */
const QUIET = ["rootfs", "qmp-greeting", "agent-ready"];

const WORKER = join(import.meta.dirname, "doomed-call-worker.ts");

/** What is said of a process that somebody else has killed before its first phase. */
const NO_PHASE = "no phase";

/**
 * Lets another process make calls of the library and kill itself (SIGKILL) in the last.
 * @param env more environment, of programs that kill it
 * @returns the phase at which it died; undefined when the calls were done before
 * @throws Error when a call failed
 */
export async function makeDoomedCall(
  place: Workplace,
  doomed: DoomedCall,
  env: Record<string, string> = {},
): Promise<string | undefined> {
  const { ended } = place.startProgram(process.execPath, [WORKER, JSON.stringify(doomed)], env);
  const { status, stdout, stderr } = await ended;
  if (status === 0) return undefined;
  if (status !== -1) throw new Error(`the calls failed: ${stderr}`);
  return stdout.toString().split("\n").at(-2) ?? NO_PHASE;
}

/**
 * Makes a call in a process that is killed at its first phase, then in one that is killed at its second, and so on, until it
 * is done before; `repair` follows each killed one.
 * @param skip phases that do not count
 * @param options further options of the last call
 * @returns the phases
 */
export async function eachPhase(
  place: Workplace,
  calls: DoomedCall["calls"],
  repair: (phase: string) => Promise<void>,
  skip: readonly string[] = [],
  options: object = {},
): Promise<string[]> {
  const phases: string[] = [];
  for (let dieAt = 0; ; dieAt++) {
    const phase = await makeDoomedCall(place, { calls, dieAt, skip: [...QUIET, ...skip], options });
    if (phase === undefined) return phases;
    phases.push(phase);
    await repair(phase);
  }
}
