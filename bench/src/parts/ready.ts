import { readFileSync } from "node:fs";
import { deletePod } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { type Measurement, summarise } from "../support/measurement.ts";

/** (b) From the agent's first instruction to READY, by the guest's own clock. */
export async function measureReady(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    await place.startRestingPod("ready", ["ready"]);
    times.push(readReadyTime(readFileSync(place.podFile("ready", "console.log"), "latin1")));
    await deletePod("ready", place.options);
  }
  const target = { of: "value", relation: "at most", limit: 40 } as const;
  return [{ part: "b", what: "agent exec to READY, in the guest", unit: "ms", ...summarise(times), target }];
}

/** Reads the agent's line `started MS … ready MS` (milliseconds since the guest's boot). */
export function readReadyTime(console: string): number {
  const [, started, ready] = /husk-agent: started ([\d.]+) .*?ready ([\d.]+)/.exec(console) ?? [];
  if (started === undefined || ready === undefined) throw new Error("the agent did not tell its times");
  return Number(ready) - Number(started);
}
