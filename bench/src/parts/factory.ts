import { destroyTemplates, type FactoryConfig } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { type Moments, timeFirstMoments } from "../support/first-moments.ts";
import { costOfMany } from "../support/many-pods.ts";
import { type Measurement, median, summarise } from "../support/measurement.ts";

/** pods that live at the same time, for what each of them holds */
const MANY = 10;

/** (m) VMs that begin as copies of a template, against those that boot. */
export async function measureFactory(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const template: FactoryConfig = { template: true };
  try {
    // The first makes the template.
    await timeFirstMoments(place, template);
    const [copies, boots]: [Moments[], Moments[]] = [[], []];
    for (let run = 0; run < runs; run++) {
      copies.push(await timeFirstMoments(place, template));
      boots.push(await timeFirstMoments(place));
    }
    const least = { of: "ratio", relation: "at most" } as const;
    const row = (what: string, key: keyof Moments, limit: number): Measurement => ({
      part: "m",
      what,
      unit: "ms",
      ...summarise(copies.map((moments) => moments[key])),
      baseline: median(boots.map((moments) => moments[key])),
      target: { ...least, limit },
    });
    return [
      row("call to the agent's first answer, a template's copy against a boot", "agent", 0.08),
      row("call to the container's first output, the same", "output", 0.2),
      ...(await holdMany(place, template)),
    ];
  } finally {
    await destroyTemplates(template, place.options);
  }
}

/** What pods hold when there are many, and what one does that has nothing to do. */
async function holdMany(place: BenchPlace, factory: FactoryConfig): Promise<Measurement[]> {
  const copies = await costOfMany(place, MANY, factory);
  const boots = await costOfMany(place, 2);
  return [
    {
      part: "m",
      what: `PSS of each of ${MANY} pods that are copies, against those that boot`,
      unit: "MB",
      value: copies.pss,
      baseline: boots.pss,
      target: { of: "ratio", relation: "at most", limit: 0.2 },
    },
    {
      part: "m",
      what: "a processor's share that such a pod takes in 30 s of nothing to do",
      unit: "%",
      value: copies.share,
      baseline: boots.share,
      target: { of: "value", relation: "at most", limit: 1 },
    },
  ];
}
