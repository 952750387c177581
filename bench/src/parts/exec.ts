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
    times.push(await timeTrue(place, "exec"));
  }
  await deletePod("exec", place.options);
  const target = { of: "value", relation: "at most", limit: 25 } as const;
  return [{ part: "c", what: "true in a container, round trip", unit: "ms", ...summarise(times), target }];
}

/** Milliseconds of `true` in a container, in a pod that is called as its container. */
export async function timeTrue({ options }: BenchPlace, podId: string): Promise<number> {
  const begin = performance.now();
  const attached = { ...options, attach: true };
  const { process: entered } = await enterContainer(podId, podId, { args: ["/bin/true"] }, attached);
  entered.io.stdin.end();
  entered.io.stdout.resume();
  entered.io.stderr?.resume();
  await entered.io.wait();
  return performance.now() - begin;
}
