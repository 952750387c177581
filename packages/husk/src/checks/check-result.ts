/** What a check of the machine has found. */
export interface CheckResult {
  /** stable name of what was looked at */
  readonly name: string;
  /** `missing` makes the machine unfit; `note` is worth knowing */
  readonly state: "ok" | "missing" | "note";
  /** what was found */
  readonly detail: string;
  /** what the user can do about it */
  readonly hint?: string;
}

const MARKS = { ok: "✓", missing: "✗", note: "–" } as const;

/** Renders results as lines, a sentence at the end. */
export function renderChecks(results: readonly CheckResult[]): string {
  const width = Math.max(0, ...results.map(({ name }) => name.length));
  const lines = results.flatMap(({ name, state, detail, hint }) => {
    const line = `${MARKS[state]} ${name.padEnd(width)}  ${detail}`;
    return hint === undefined ? [line] : [line, `  ${" ".repeat(width)}  → ${hint}`];
  });
  const end = isFit(results) ? "This machine can run husk." : "This machine cannot run husk yet.";
  return `${lines.join("\n")}\n${end}\n`;
}

/** Whether nothing is missing. */
export function isFit(results: readonly CheckResult[]): boolean {
  return results.every(({ state }) => state !== "missing");
}
