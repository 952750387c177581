import { renderTable } from "./table.ts";

/** A moment of a command. */
export interface LoggedPhase {
  /** what has just been done */
  readonly name: string;
  /** milliseconds since husk was started */
  readonly at: number;
  /** milliseconds since the phase before */
  readonly took: number;
}

/** width of the longest bar, in characters */
const BAR_WIDTH = 30;

/** Collects the phases of a command, on the one clock that begins when husk's process does. */
export class PhaseLog {
  readonly #phases: LoggedPhase[] = [];

  /** Notes that something has just been done. */
  record(name: string): void {
    const at = performance.now();
    this.#phases.push({ name, at, took: at - (this.#phases.at(-1)?.at ?? 0) });
  }

  /** The phases so far, in order. */
  phases(): readonly LoggedPhase[] {
    return this.#phases;
  }
}

/** The options that ask for phases. */
export interface TimingsOptions {
  /** print where the time went */
  timings?: boolean;
  /** print where the time went as JSON */
  "timings=json"?: boolean;
}

/** Prints the phases on stderr, as asked. */
export function printTimings(options: TimingsOptions, log: PhaseLog): void {
  if (options["timings=json"]) process.stderr.write(renderPhasesJson(log.phases()));
  else if (options.timings) process.stderr.write(renderPhases(log.phases()));
}

/** Renders phases as a table with bars, longest phase = longest bar. */
export function renderPhases(phases: readonly LoggedPhase[]): string {
  const longest = Math.max(1, ...phases.map((phase) => phase.took));
  const columns = [
    { title: "PHASE" },
    { title: "AT MS", align: "right" },
    { title: "TOOK MS", align: "right" },
  ] as const;
  const rows = phases.map(({ name, at, took }) => [
    name,
    at.toFixed(1),
    took.toFixed(1),
    bar(took / longest),
  ]);
  return renderTable([...columns, { title: "" }], rows);
}

/** Renders phases as one line of JSON, times in milliseconds. */
export function renderPhasesJson(phases: readonly LoggedPhase[]): string {
  const rounded = phases.map(({ name, at, took }) => ({ name, at: round(at), took: round(took) }));
  return `${JSON.stringify({ phases: rounded, total: round(phases.at(-1)?.at ?? 0) })}\n`;
}

function bar(share: number): string {
  return "█".repeat(Math.round(share * BAR_WIDTH));
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
