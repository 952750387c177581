import { setTimeout as delay } from "node:timers/promises";
import { isHuskError, listPod, type PodStats, statsPod } from "@husk/virtcontainers";
import { renderStats, type StatsSample } from "./output/stats-table.ts";
import { SignalTrap, statusOfSignal } from "./terminal/signals.ts";

/** What `stats` can be told. */
export interface StatsOptions {
  /** show it again and again; default: yes */
  stream?: boolean;
  /** seconds between two looks */
  interval?: number;
  /** print the counters, once */
  json?: boolean;
}

const DEFAULT_INTERVAL_S = 2;
/** Seconds that are measured when there is only one look. */
const ONE_LOOK_S = 1;
/** Cursor to the top left, and nothing below it. */
const CLEAR = "\x1b[H\x1b[J";

/**
 * Shows what pods use.
 *
 * @returns exit status
 * @throws HuskError for a pod that cannot be measured
 */
export async function showStats(names: readonly string[], options: StatsOptions): Promise<number> {
  using trap = new SignalTrap();
  const { signal } = trap;
  try {
    if (options.json) await printJson(names, signal);
    else await printTables(names, options, signal);
    return 0;
  } catch (error) {
    if (trap.caught !== undefined && signal.aborted) return statusOfSignal(trap.caught);
    throw error;
  }
}

async function printJson(names: readonly string[], signal: AbortSignal): Promise<void> {
  const samples = await measure(await choosePods(names, signal), signal, names.length > 0);
  const objects = samples.map(({ podId, stats }) => ({ pod: podId, ...stats }));
  process.stdout.write(`${JSON.stringify(objects, null, 2)}\n`);
}

async function printTables(
  names: readonly string[],
  { stream = true, interval = DEFAULT_INTERVAL_S }: StatsOptions,
  signal: AbortSignal,
): Promise<void> {
  let before = await measure(await choosePods(names, signal), signal, names.length > 0);
  // How much of a processor is used shows only between two looks.
  await delay(ONE_LOOK_S * 1000, undefined, { signal });
  for (;;) {
    const now = await measure(await choosePods(names, signal), signal, false);
    process.stdout.write(`${stream && process.stdout.isTTY ? CLEAR : ""}${renderStats(now, before)}`);
    before = now;
    if (!stream || (names.length > 0 && now.length === 0)) return;
    await delay(interval * 1000, undefined, { signal });
  }
}

/** The pods named, or all that can be measured. */
async function choosePods(names: readonly string[], signal: AbortSignal): Promise<string[]> {
  if (names.length > 0) return [...new Set(names)];
  const pods = await listPod({ signal, onBroken: () => {} });
  return pods.filter(({ state, agent }) => state === "running" && agent !== "hyperstart").map(({ id }) => id);
}

/** Measures pods side by side. One that has ended is left out, unless `strict`. */
async function measure(ids: readonly string[], signal: AbortSignal, strict: boolean): Promise<StatsSample[]> {
  const measured = await Promise.all(ids.map((podId) => measureOne(podId, signal, strict)));
  return measured.filter((sample) => sample !== undefined);
}

async function measureOne(
  podId: string,
  signal: AbortSignal,
  strict: boolean,
): Promise<StatsSample | undefined> {
  try {
    const stats: PodStats = await statsPod(podId, { signal });
    return { podId, stats, at: performance.now() };
  } catch (error) {
    const ended = ["ERR_POD_NOT_FOUND", "ERR_STATE_INVALID", "ERR_VM_LOST"] as const;
    if (!strict && ended.some((code) => isHuskError(error, code))) return undefined;
    throw error;
  }
}
