import { deletePod, type Resources, updatePod } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { type Measurement, summarise } from "../support/measurement.ts";

const POD = "growth";
const BEGIN_MIB = 256;
const STEP_MIB = 128;
/** most processors that a machine with few can emulate side by side */
const MOST_VCPUS = 8;

/** (j) A VM that runs grows: from the call until the guest uses what has come. */
export async function measureGrowth(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const target = { of: "value", relation: "at most", limit: 400 } as const;
  const measurements: Measurement[] = [];
  for (const agent of ["hyperstart", "kata"] as const) {
    const vcpus = Math.min(runs + 1, MOST_VCPUS);
    const room = { defaultMemSz: BEGIN_MIB, defaultMaxVCPUs: vcpus, memSlots: runs };
    await place.startRestingPod(POD, [POD], { hypervisorConfig: room, agentType: agent });
    const processors = await timeSteps(place, vcpus - 1, (step) => ({ vcpus: 1 + step }));
    const memory = await timeSteps(place, runs, (step) => ({ memory: BEGIN_MIB + step * STEP_MIB }));
    await deletePod(POD, place.options);
    measurements.push(
      { part: "j", what: `one more processor, ${agent}`, unit: "ms", ...summarise(processors), target },
      { part: "j", what: `${STEP_MIB} MiB more, ${agent}`, unit: "ms", ...summarise(memory), target },
    );
  }
  return measurements;
}

async function timeSteps(
  { options }: BenchPlace,
  count: number,
  resourcesAt: (step: number) => Resources,
): Promise<number[]> {
  const times: number[] = [];
  for (let step = 1; step <= count; step++) {
    const begin = performance.now();
    await updatePod(POD, resourcesAt(step), options);
    times.push(performance.now() - begin);
  }
  return times;
}
