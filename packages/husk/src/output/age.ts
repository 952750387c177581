/** Steps of the units of time: how many of a unit make one of the next. */
const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/**
 * Tells a span of time in its largest unit: `3 minutes`. Spans below a second, and clocks set back, give `0
 * seconds`.
 */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [name, size] = UNITS.find(([, unit]) => seconds >= unit) ?? ["second", 1];
  const count = Math.floor(seconds / size);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
