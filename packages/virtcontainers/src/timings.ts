import type { Phase } from "./types/index.ts";

/** Records the phases of one call. */
export class Timings {
  readonly #start = performance.now();
  readonly #phases: Phase[] = [];
  readonly #onPhase: ((phase: Phase) => void) | undefined;

  constructor(onPhase?: ((phase: Phase) => void) | undefined) {
    this.#onPhase = onPhase;
  }

  /** Notes that a phase has just been done. */
  mark(name: string): void {
    const at = performance.now() - this.#start;
    const phase: Phase = { name, at, took: at - (this.#phases.at(-1)?.at ?? 0) };
    this.#phases.push(phase);
    this.#onPhase?.(phase);
  }

  phases(): Phase[] {
    return [...this.#phases];
  }
}
