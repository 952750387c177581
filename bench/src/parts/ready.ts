import { readFileSync } from "node:fs";
import { deletePod } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { type Measurement, summarise } from "../support/measurement.ts";
import { waitForContent } from "../support/wait-for-content.ts";

/** (b) From the agent's first instruction to READY, by the guest's own clock. */
export async function measureReady(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    await place.startRestingPod("ready", ["ready"]);
    const console = place.podFile("ready", "console.log");
    times.push(await waitForContent(console, () => readReadyTime(readFileSync(console, "latin1"))));
    await deletePod("ready", place.options);
  }
  const target = { of: "value", relation: "at most", limit: 40 } as const;
  return [{ part: "b", what: "agent exec to READY, in the guest", unit: "ms", ...summarise(times), target }];
}

/** Reads the agent's line `started MS … ready MS` (milliseconds since the guest's boot). */
function readReadyTime(console: string): number | undefined {
  const [, started, ready] = /husk-agent: started ([\d.]+) .*?ready ([\d.]+)\r?\n/.exec(console) ?? [];
  return started === undefined || ready === undefined ? undefined : Number(ready) - Number(started);
}
