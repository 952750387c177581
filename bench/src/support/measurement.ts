/** What a part of the benchmark has found. */
export interface Measurement {
  /** letter of the part, as `--only` takes it */
  readonly part: string;
  /** what was measured */
  readonly what: string;
  /** the median, or a quantity that does not vary */
  readonly value: number;
  readonly unit: string;
  /** smallest and largest of the runs */
  readonly range?: readonly [least: number, most: number];
  /** what it is compared with, in the same unit */
  readonly baseline?: number;
  /** number of runs */
  readonly runs?: number;
  /** what the figure must reach */
  readonly target?: Target;
}

/** What a figure must reach. */
interface Target {
  /** whether it is the figure, or its ratio to the baseline, that counts */
  readonly of: "value" | "ratio";
  readonly relation: "at most" | "at least";
  readonly limit: number;
}

/** The middle of some numbers; of an even count, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new Error("the median of nothing");
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Median and range of some runs. */
export function summarise(values: readonly number[]): Pick<Measurement, "value" | "range" | "runs"> {
  return { value: median(values), range: [Math.min(...values), Math.max(...values)], runs: values.length };
}

/** Measures two things in turns, so that a noisy machine disturbs both alike. */
export async function interleave(
  runs: number,
  one: () => Promise<number>,
  other: () => Promise<number>,
): Promise<[number[], number[]]> {
  const results: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    results[0].push(await one());
    results[1].push(await other());
  }
  return results;
}

/** The ratio of a figure to what it is compared with. */
export function ratioOf({ value, baseline }: Measurement): number | undefined {
  return baseline === undefined ? undefined : value / baseline;
}

/** Whether a figure reaches its target; undefined: it has none. */
export function isMet(measurement: Measurement): boolean | undefined {
  const { target, value } = measurement;
  if (target === undefined) return undefined;
  const figure = target.of === "value" ? value : (ratioOf(measurement) ?? Number.NaN);
  return target.relation === "at most" ? figure <= target.limit : figure >= target.limit;
}
