import { setTimeout as sleep } from "node:timers/promises";
import { deletePod, enterContainer, statusContainer } from "@husk/virtcontainers";
import type { BenchPlace, Pair } from "../support/bench-place.ts";
import { interleave, type Measurement, median, summarise } from "../support/measurement.ts";
import { type ProcessCost, proxyPid, readCost } from "../support/process-cost.ts";
import { readContainer } from "./throughput.ts";

/** milliseconds in which a pod that does nothing is watched */
const IDLE_MS = 30_000;
/** shims on one pod at the same time */
const MANY = 100;

/** (l) Proxies and shims: what they hold, what they cost a pod that does nothing, and what they cost its output. */
export async function measureResidents(place: BenchPlace, runs: number): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const pair of ["cc", "kata"] as const) {
    measurements.push(...(await watchIdlePod(place, pair)));
    measurements.push(await compareOutput(place, pair, runs));
    measurements.push(...(await holdMany(place, pair)));
  }
  return measurements;
}

/** Memory and work of the proxy and the shim of one container. */
async function watchIdlePod(place: BenchPlace, pair: Pair): Promise<Measurement[]> {
  await place.startRestingPod("idle", ["idle"], { pair });
  const { pid: shim } = await statusContainer("idle", "idle", place.options);
  const proxy = proxyPid(place.podFile("idle", "proxy.lock"));
  const before = [readCost(proxy), readCost(shim)] as const;
  await sleep(IDLE_MS);
  const after = [readCost(proxy), readCost(shim)] as const;
  await deletePod("idle", place.options);
  const sum = (costs: readonly ProcessCost[], key: keyof ProcessCost) =>
    costs.reduce((total, cost) => total + cost[key], 0);
  const spent = (key: keyof ProcessCost) => sum(after, key) - sum(before, key);
  const none = { of: "value", relation: "at most", limit: 0 } as const;
  const most = { of: "value", relation: "at most", limit: 6 } as const;
  const row = (what: string, value: number, unit: string) => ({ part: "l", what, value, unit });
  return [
    { ...row(`PSS of ${pair}-proxy and ${pair}-shim, one container`, sum(after, "pss"), "MB"), target: most },
    { ...row("their processor time in 30 s of an idle pod", spent("cpu"), "ms"), target: none },
    { ...row("how often they woke up", spent("wakeups"), "times"), target: none },
  ];
}

/** From the container's write to the caller's pipe, by proxy and shim and without them. */
async function compareOutput(place: BenchPlace, pair: Pair, runs: number): Promise<Measurement> {
  await place.startRestingPod("with", ["with"], { pair });
  await place.startRestingPod("without", ["without"], { agentType: pair === "cc" ? "hyperstart" : "kata" });
  const [by, without] = await interleave(
    runs,
    () => readContainer(place, "with"),
    () => readContainer(place, "without"),
  );
  for (const id of ["with", "without"]) await deletePod(id, place.options);
  const target = { of: "ratio", relation: "at least", limit: 0.9 } as const;
  const what = `stdout of dd by ${pair}-proxy and ${pair}-shim, against without`;
  return { part: "l", what, unit: "MB/s", ...summarise(by), baseline: median(without), target };
}

/** Many processes of a container at the same time, each with its shim. */
async function holdMany(place: BenchPlace, pair: Pair): Promise<Measurement[]> {
  await place.startRestingPod("many", ["many"], { pair, hypervisorConfig: { defaultMemSz: 512 } });
  const attached = { ...place.options, attach: true };
  const begin = performance.now();
  const entered = await Promise.all(
    Array.from({ length: MANY }, () => enterContainer("many", "many", { args: ["/bin/cat"] }, attached)),
  );
  const started = performance.now() - begin;
  const pids = [...entered.map(({ process }) => process.pid), proxyPid(place.podFile("many", "proxy.lock"))];
  const pss = pids.reduce((total, pid) => total + readCost(pid).pss, 0);
  for (const { process } of entered) {
    process.io.stdout.resume();
    process.io.stderr?.resume();
    process.io.stdin.end();
  }
  const exits = await Promise.all(entered.map(({ process }) => process.io.wait()));
  await deletePod("many", place.options);
  if (exits.some(({ exitCode }) => exitCode !== 0))
    throw new Error(`not all of ${MANY} processes ended well`);
  return [
    {
      part: "l",
      what: `${MANY} processes started at once, each with a ${pair}-shim`,
      value: started,
      unit: "ms",
    },
    { part: "l", what: "PSS of their shims and the proxy", value: pss, unit: "MB" },
  ];
}
