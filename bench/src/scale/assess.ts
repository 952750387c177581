import type { Random } from "./random.ts";
import type { History } from "./simulate.ts";
import type { Node, Tier } from "./tiers.ts";

/** What a simulated node did, in figures. */
export interface Assessment {
  readonly requests: number;
  /** share of requests that found a VM ready */
  readonly hits: number;
  /** seconds from a request to the agent's answer: the middle one, the 99th of a hundred, the longest */
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
  /** MB that VMs held on average that waited or were being made, and what all VMs share */
  readonly poolMemory: number;
  /** MB that VMs with pods held on average */
  readonly runningMemory: number;
  /** MB of all of them at the worst moment, at most */
  readonly mostMemory: number;
  /** processor seconds for making and adopting VMs */
  readonly work: number;
  /** the same as a share of the node's processors over all of the time */
  readonly use: number;
}

/** Sums a history up; pods live as long as `random` says, `lifetime` seconds on average. */
export function assess(
  history: History,
  tier: Tier,
  node: Node,
  lifetime: number,
  random: Random,
): Assessment {
  const { waits, duration } = history;
  const sorted = Float64Array.from(waits).sort();
  const running = countRunning(history.answers, duration, lifetime, random);
  const work = history.made * tier.makeWork + waits.length * tier.adoptTime;
  return {
    requests: waits.length,
    hits: waits.length === 0 ? 1 : history.hits / waits.length,
    median: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    longest: quantile(sorted, 1),
    poolMemory: tier.sharedMemory + (history.heldSeconds / duration) * tier.waitingMemory,
    runningMemory: (running.podSeconds / duration) * tier.runningMemory,
    mostMemory: tier.sharedMemory + history.heldMost * tier.waitingMemory + running.most * tier.runningMemory,
    work,
    use: work / (duration * node.processors),
  };
}

/** The least value that a share of all values does not exceed; 0 of none. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** How long pods ran until a moment, together, and how many at the same time at most. */
function countRunning(begins: readonly number[], until: number, lifetime: number, random: Random) {
  const ends = Float64Array.from(begins, (begin) => begin + random.exponential(lifetime)).sort();
  const starts = Float64Array.from(begins).sort();
  let podSeconds = 0;
  let most = 0;
  let ended = 0;
  for (const [index, start] of starts.entries()) {
    podSeconds += Math.min(until, ends[index] ?? until) - Math.min(until, start);
    while ((ends[ended] ?? until) <= start) ended++;
    most = Math.max(most, index + 1 - ended);
  }
  return { podSeconds, most };
}
