import { spawn } from "node:child_process";
import { deletePod, destroyTemplates, type FactoryConfig, type VmCacheTier } from "@husk/virtcontainers";
import type { BenchPlace } from "../support/bench-place.ts";
import { type Moments, podOf, runAndRead, timeFirstMoments } from "../support/first-moments.ts";
import { costOfMany } from "../support/many-pods.ts";
import { type Measurement, median, summarise } from "../support/measurement.ts";
import { WaitingVms } from "../support/waiting-vms.ts";
import { timeTrue } from "./exec.ts";

const TEMPLATE: FactoryConfig = { template: true };
const TIERS: readonly VmCacheTier[] = ["rehearsed", "paused", "prepared"];
/** pods that live at the same time, for what each of them holds */
const MANY = 10;
/** VMs that a cache begins to make, so that it is at work for long enough */
const REFILL = 15;
/** commands that are run beside that */
const EXECS = 100;
/** requests in a row, of a pool of four */
const REQUESTS = 100;
const POOL = 4;
/** What a guest has of its own. */
const IDENTITY = [
  "cat /proc/sys/kernel/random/boot_id /sys/class/dmi/id/product_uuid /sys/class/net/eth0/address",
  "head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \\n'",
].join("; ");

/** (n) VMs that wait in a cache, against those that boot. */
export async function measureCache(place: BenchPlace, runs: number): Promise<Measurement[]> {
  try {
    return [
      ...(await measureHits(place, runs)),
      ...(await measureHeld(place)),
      await measureRefill(place),
      ...(await measureMany(place)),
    ];
  } finally {
    await destroyTemplates(TEMPLATE, place.options);
  }
}

/** What can be had, and where from. */
interface Source {
  readonly name: string;
  readonly factory?: FactoryConfig;
  /** is taken from, and is to be full each time */
  readonly vms?: WaitingVms;
  readonly moments: Moments[];
}

async function measureHits(place: BenchPlace, runs: number): Promise<Measurement[]> {
  // Makes the template, and packs the root file system.
  await timeFirstMoments(place, TEMPLATE);
  await using stack = new AsyncDisposableStack();
  const cold: Source = { name: "cold", moments: [] };
  const waiting: Source[] = [];
  for (const tier of TIERS) {
    const vms = await WaitingVms.keep(place, tier, { ...TEMPLATE, vmCacheTiers: { [tier]: 1 } });
    stack.use(vms);
    waiting.push({ name: tier, factory: vms.factory, vms, moments: [] });
  }
  const copy: Source = { name: "template", factory: TEMPLATE, moments: [] };
  for (const { vms } of waiting) await vms?.full();
  for (let run = 0; run < runs; run++) {
    for (const { factory, vms, moments } of [cold, copy, ...waiting]) {
      moments.push(await timeFirstMoments(place, factory));
      await vms?.full();
    }
  }
  return [copy, ...waiting].flatMap((source) => describeMoments(source, cold));
}

/** Targets are those of the best tier. */
function describeMoments({ name, moments }: Source, cold: Source): Measurement[] {
  const row = (what: string, key: keyof Moments, limit: number): Measurement => ({
    part: "n",
    what,
    unit: "ms",
    ...summarise(moments.map((each) => each[key])),
    baseline: median(cold.moments.map((each) => each[key])),
    ...(name === "rehearsed" ? { target: { of: "ratio", relation: "at most", limit } } : {}),
  });
  return [
    row(`call to the agent's first answer, ${name}, against a boot`, "agent", 0.02),
    row("call to the container's first output, the same", "output", 0.1),
  ];
}

async function measureHeld(place: BenchPlace): Promise<Measurement[]> {
  await using vms = await WaitingVms.keep(place, "held", { ...TEMPLATE, vmCacheNumber: 1 });
  const taken = await costOfMany(place, MANY, vms.factory, () => vms.full());
  const boots = await costOfMany(place, 2);
  const what = `PSS of each of ${MANY} pods whose VMs waited, against those that boot`;
  const target = { of: "ratio", relation: "at most", limit: 0.2 } as const;
  return [{ part: "n", what, unit: "MB", value: taken.pss, baseline: boots.pss, target }];
}

/** Commands in a pod while a cache boots VMs, against the same while something else keeps one processor busy. */
async function measureRefill(place: BenchPlace): Promise<Measurement> {
  await place.startRestingPod("beside", ["beside"]);
  const busy = spawn("sh", ["-c", "while :; do :; done"], { stdio: "ignore" });
  const besideOne = await timeExecs(place);
  busy.kill("SIGKILL");
  const vms = await WaitingVms.keep(place, "refill", { vmCacheNumber: REFILL });
  const besideRefill = await timeExecs(place);
  await vms[Symbol.asyncDispose]();
  await deletePod("beside", place.options);
  return {
    part: "n",
    what: "`true` in a pod while a cache boots VMs, against the same beside one busy processor",
    unit: "ms",
    ...summarise(besideRefill),
    baseline: median(besideOne),
    target: { of: "ratio", relation: "at most", limit: 1.2 },
  };
}

async function timeExecs(place: BenchPlace): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < EXECS; run++) times.push(await timeTrue(place, "beside"));
  return times;
}

async function measureMany(place: BenchPlace): Promise<Measurement[]> {
  await using vms = await WaitingVms.keep(place, "many", { ...TEMPLATE, vmCacheNumber: POOL });
  await vms.full();
  const found = new Set<string>();
  const begin = performance.now();
  let misses = 0;
  for (let request = 0; request < REQUESTS; request++) {
    const config = podOf("one", ["/bin/sh", "-c", IDENTITY]);
    const text = await runAndRead(place, { ...config, networkModel: "user" }, vms.factory, {
      onWarning: () => void misses++,
    });
    for (const line of text.trim().split("\n")) found.add(line);
  }
  const each = (performance.now() - begin) / REQUESTS;
  return [
    {
      part: "n",
      what: `boot and machine ids, MAC addresses and random numbers that differ, ${REQUESTS} requests of a pool of ${POOL}`,
      unit: "",
      value: found.size,
      target: { of: "value", relation: "at least", limit: 4 * REQUESTS },
    },
    { part: "n", what: "of them, requests for which a VM waited", unit: "", value: REQUESTS - misses },
    { part: "n", what: "each of them, from the call to the pod's end", unit: "ms", value: each },
  ];
}
