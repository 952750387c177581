import type { Load } from "./arrivals.ts";
import { choosePool } from "./pool-rule.ts";
import type { PoolPolicy } from "./simulate.ts";
import { capacityOf, type Node, type Tier } from "./tiers.ts";

/** seconds between two decisions */
const EVERY = 10;
/** intervals that the rate is taken from */
const INTERVALS = 6;
/** largest share of its capacity that a node plans with */
const MOST_USE = 0.95;

/**
 * Keeps as many VMs ready as the rule says for the rate of the last minute, and two deviations more of what may be
 * counted in a minute. `start` is the rate to begin with, in requests a second.
 */
export function followRate(start: number, tier: Tier, node: Node, aim: number): PoolPolicy {
  const counts = new Array<number>(INTERVALS).fill(start * EVERY);
  const known = new Map<string, number>();
  const poolFor = (rate: number) => {
    // Rounded up to two digits, so that the rule is worked out a few times only.
    const step = 10 ** (Math.floor(Math.log10(rate)) - 1);
    const rounded = Math.min(Math.ceil(rate / step) * step, MOST_USE * capacityOf(tier, node));
    const name = rounded.toPrecision(2);
    const load: Load = { name, rate: rounded };
    const pool = known.get(name) ?? choosePool(load, tier, node, aim).pool;
    known.set(name, pool);
    return pool;
  };
  return {
    start: poolFor(start),
    every: EVERY,
    choose(requestsSince) {
      counts.shift();
      counts.push(requestsSince);
      const counted = counts.reduce((sum, count) => sum + count, 0);
      return poolFor((counted + 2 * Math.sqrt(counted + 1)) / (INTERVALS * EVERY));
    },
  };
}
