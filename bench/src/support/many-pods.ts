import { setTimeout as sleep } from "node:timers/promises";
import { deletePod, type FactoryConfig, runPod, statusPod } from "@husk/virtcontainers";
import type { BenchPlace } from "./bench-place.ts";
import { podOf } from "./first-moments.ts";
import { readCost } from "./process-cost.ts";

/** milliseconds in which pods that do nothing are watched */
const IDLE_MS = 30_000;

/** What each of many pods holds and takes. */
export interface PodCost {
  /** its VM's share of the memory in use, in MB */
  readonly pss: number;
  /** percent of a processor that it takes in 30 s of nothing to do */
  readonly share: number;
}

/**
 * Runs pods that do nothing, all at the same time, and tells what each of them costs.
 * @param untilReady waits before each of them
 */
export async function costOfMany(
  place: BenchPlace,
  count: number,
  factory?: FactoryConfig,
  untilReady: () => Promise<void> = async () => {},
): Promise<PodCost> {
  const ids = Array.from({ length: count }, (_, index) => `pod${index}`);
  for (const id of ids) {
    await untilReady();
    await runPod(podOf(id, ["sleep", "1000000"]), { ...place.options, ...(factory ? { factory } : {}) });
  }
  const statuses = await Promise.all(ids.map((id) => statusPod(id, place.options)));
  const pids = statuses.flatMap(({ hypervisorPid }) => hypervisorPid ?? []);
  const before = pids.map(readCost);
  await sleep(IDLE_MS);
  const after = pids.map(readCost);
  for (const id of ids) await deletePod(id, place.options);
  const cpu = after.reduce((sum, cost, index) => sum + cost.cpu - (before[index]?.cpu ?? 0), 0);
  const pss = after.reduce((sum, cost) => sum + cost.pss, 0);
  return { pss: pss / count, share: (100 * cpu) / count / IDLE_MS };
}
