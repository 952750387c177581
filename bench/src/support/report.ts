import { isMet, type Measurement, ratioOf } from "./measurement.ts";

const TITLES = ["", "WHAT", "MEDIAN", "RANGE", "AGAINST", "RATIO", "RUNS", "TARGET", ""];

/** Renders measurements as one table, the marks of met and missed targets at the end. */
export function renderTable(measurements: readonly Measurement[]): string {
  const rows = [TITLES, ...measurements.map(renderRow)];
  const widths = TITLES.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function renderRow(measurement: Measurement): string[] {
  const { part, what, value, unit, range, baseline, runs, target } = measurement;
  const ratio = ratioOf(measurement);
  const met = isMet(measurement);
  return [
    part,
    what,
    `${format(value)} ${unit}`,
    range ? `${format(range[0])}–${format(range[1])}` : "",
    baseline === undefined ? "" : `${format(baseline)} ${unit}`,
    ratio === undefined ? "" : ratio.toFixed(ratio < 0.1 ? 3 : 2),
    runs?.toString() ?? "",
    target ? `${target.relation} ${target.limit}${target.of === "value" ? ` ${unit}` : " ×"}` : "",
    met === undefined ? "" : met ? "✓" : "✗",
  ];
}

/** Renders measurements for programs, ratios and verdicts worked out. */
export function renderJson(measurements: readonly Measurement[]): string {
  const full = measurements.map((measurement) => {
    return { ...measurement, ratio: ratioOf(measurement), met: isMet(measurement) };
  });
  return `${JSON.stringify(full, null, 2)}\n`;
}

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
