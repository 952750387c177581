import { deletePod, enterContainer } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { type Measurement, summarise } from "../support/measurement.ts";

/** least number of round trips, whatever the number of runs */
const LEAST = 100;

/** (c) A command in a container: from the call to its end of output and exit status. */
export async function measureExec(place: BenchPlace, runs: number): Promise<Measurement[]> {
  await place.startRestingPod("exec", ["exec"]);
  const times: number[] = [];
  for (let run = 0; run < Math.max(runs, LEAST); run++) {
    const begin = performance.now();
    const options = { ...place.options, attach: true };
    const { process: entered } = await enterContainer("exec", "exec", { args: ["/bin/true"] }, options);
    entered.io.stdin.end();
    entered.io.stdout.resume();
    entered.io.stderr?.resume();
    await entered.io.wait();
    times.push(performance.now() - begin);
  }
  await deletePod("exec", place.options);
  const target = { of: "value", relation: "at most", limit: 25 } as const;
  return [{ part: "c", what: "true in a container, round trip", unit: "ms", ...summarise(times), target }];
}
