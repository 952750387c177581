import { drawArrivals, type Load, rateOf } from "./arrivals.ts";
import { type Assessment, assess } from "./assess.ts";
import { followRate } from "./follow-rate.ts";
import { findLeastPool } from "./least-pool.ts";
import { choosePool, estimatePool } from "./pool-rule.ts";
import { seedRandom } from "./random.ts";
import {
  AIM,
  BURSTS,
  BUSY_BOOTS,
  BUSY_COPIES,
  DAY_SWING,
  DAYS,
  LIFETIME,
  NODE,
  type Scenario,
  STEADY,
} from "./scenarios.ts";
import { type PoolPolicy, simulate } from "./simulate.ts";
import type { Table } from "./table.ts";
import { BOOT, COPY, PREPARED, REHEARSED } from "./tiers.ts";

/** requests that a simulation of a rate that stays has, about */
const REQUESTS = 50_000;
/** bursts that it has, at least, about */
const LEAST_BURSTS = 1_000;
/** requests in a second that a whole cluster has */
const CLUSTER_RATE = 100;
const DAY_SECONDS = 86_400;
const COLUMNS = ["load", "made by", "pool", "hits %", "median ms", "99th ms", "pool MB", "pods MB", "use %"];

/** Runs all studies. The same seed gives the same figures. */
export function runStudies(seed: number): Table[] {
  return [
    studySteady(seed),
    studyBursts(seed),
    studyDays(seed),
    studyRule(seed),
    studyTurns(seed),
    studyHerd(),
    studyCluster(),
  ];
}

function studySteady(seed: number): Table {
  const rows = STEADY.flatMap((scenario) => {
    const { pool } = choosePool(scenario.load, scenario.tier, NODE, AIM);
    return listPools(pool).map((size) => describeRun(scenario, size, runLoad(scenario, size, seed)));
  });
  return { title: "Steady", columns: COLUMNS, rows };
}

function studyBursts(seed: number): Table {
  const rows = BURSTS.flatMap((scenario) => {
    const { pool } = choosePool(scenario.load, scenario.tier, NODE, AIM);
    return [...new Set([0, scenario.load.bursts?.size ?? 0, pool])].map((size) =>
      describeRun(scenario, size, runLoad(scenario, size, seed)),
    );
  });
  return { title: "Bursts", columns: COLUMNS, rows };
}

/** Pools that are worth a look beside the one that the rule gives: none, and half of it. */
function listPools(pool: number): number[] {
  return [...new Set([0, Math.floor(pool / 2), pool])];
}

function studyDays(seed: number): Table {
  const rows = DAYS.flatMap((scenario) => {
    const { load, tier } = scenario;
    const poolFor = (rate: number) => choosePool({ name: load.name, rate }, tier, NODE, AIM).pool;
    const mean = poolFor(load.rate);
    const peak = poolFor(load.rate * (1 + DAY_SWING));
    const night = load.rate * (1 - DAY_SWING);
    const run = (pool: number | PoolPolicy) => runLoad(scenario, pool, seed, DAY_SECONDS);
    return [
      describeRun(scenario, `${mean}, for the mean`, run(mean)),
      describeRun(scenario, `${peak}, for the peak`, run(peak)),
      describeRun(scenario, "follows the rate", run(followRate(night, tier, NODE, AIM))),
    ];
  });
  return { title: "A day", columns: COLUMNS, rows };
}

/** Compares what the rule says with what is needed. */
function studyRule(seed: number): Table {
  const rows = [...STEADY, ...BURSTS].map((scenario) => {
    const { load, tier } = scenario;
    const { pool, hits } = choosePool(load, tier, NODE, AIM);
    const simulated = (size: number) => runLoad(scenario, size, seed).hits;
    return [
      load.name,
      tier.name,
      pool,
      findLeastPool(simulated, AIM),
      estimatePool(load, tier, NODE),
      100 * hits,
      100 * simulated(pool),
    ];
  });
  const columns = ["load", "made by", "rule", "needed", "envelope", "hits % expected", "hits % simulated"];
  return { title: `The rule for ${100 * AIM} % hits`, columns, rows };
}

/** The same VMs, more or fewer of them made at the same time. */
function studyTurns(seed: number): Table {
  const rows = [BUSY_BOOTS, BUSY_COPIES].flatMap((scenario) =>
    [1, 2, 4, 8].map((atOnce) => {
      const { load, tier } = scenario;
      const run = runLoad(scenario, 4, seed, chooseDuration(load), { ...NODE, atOnce });
      return [load.name, tier.name, atOnce, 100 * run.hits, 1000 * run.p99];
    }),
  );
  const columns = ["load", "made by", "at once", "hits %", "99th ms"];
  return { title: "Pools of 4, and VMs made at once", columns, rows };
}

/** Many requests at the same moment, once: when the last has its VM. */
function studyHerd(): Table {
  const rows = [5, 15, 100].flatMap((size) =>
    [BOOT, COPY].flatMap((tier) =>
      [0, 4, 15].map((pool) => {
        const history = simulate({ tier, node: NODE, pool, arrivals: new Array<number>(size).fill(0) });
        const { median, longest } = assess(history, tier, NODE, LIFETIME, seedRandom(0));
        return [size, tier.name, pool, 1000 * median, 1000 * longest];
      }),
    ),
  );
  const columns = ["requests at once", "made by", "pool", "median ms", "last ms"];
  return { title: "A herd", columns, rows };
}

/** The same requests, on few nodes or on many: each keeps a pool of its own. */
function studyCluster(): Table {
  const rows = [100, 1_000, 10_000].flatMap((nodes) =>
    [BOOT, COPY].map((tier) => {
      const rate = CLUSTER_RATE / nodes;
      const { pool } = choosePool({ name: "", rate }, tier, NODE, AIM);
      const memory = pool * tier.waitingMemory + tier.sharedMemory;
      return [nodes, tier.name, rate, pool, nodes * pool, memory, Math.round((nodes * memory) / 1000)];
    }),
  );
  const columns = ["nodes", "made by", "a second each", "pool each", "VMs ready", "MB each", "GB together"];
  return { title: `${CLUSTER_RATE} requests a second`, columns, rows };
}

/** The figures that go in. */
export function listTiers(): Table {
  const columns = ["made by", "alone ms", "processor ms", "adopt ms", "waiting MB", "with pod MB", "once MB"];
  const rows = [BOOT, COPY, PREPARED, REHEARSED].map((tier) => [
    tier.name,
    1000 * tier.makeTime,
    1000 * tier.makeWork,
    1000 * tier.adoptTime,
    tier.waitingMemory,
    tier.runningMemory,
    tier.sharedMemory,
  ]);
  return { title: "What goes in", columns, rows };
}

function runLoad(
  { load, tier }: Scenario,
  pool: number | PoolPolicy,
  seed: number,
  duration = chooseDuration(load),
  node = NODE,
): Assessment {
  const arrivals = drawArrivals(load, duration, seedRandom(seed));
  const history = simulate({ tier, node, pool, arrivals });
  // A row of its own, so that pods' lives do not change when requests come.
  return assess(history, tier, node, LIFETIME, seedRandom(seed + 1));
}

/** Seconds in which there are enough requests and bursts for the third digit. */
function chooseDuration(load: Load): number {
  return Math.max(REQUESTS / rateOf(load), load.bursts ? LEAST_BURSTS / load.bursts.rate : 0);
}

function describeRun({ load, tier }: Scenario, pool: number | string, run: Assessment) {
  return [
    load.name,
    tier.name,
    pool,
    100 * run.hits,
    1000 * run.median,
    1000 * run.p99,
    Math.round(run.poolMemory),
    Math.round(run.runningMemory),
    100 * run.use,
  ];
}
