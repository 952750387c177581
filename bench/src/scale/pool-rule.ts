import { type Load, rateOf } from "./arrivals.ts";
import { distributeOwed, distributeSizes } from "./owed.ts";
import { capacityOf, type Node, type Tier } from "./tiers.ts";

/** What the rule says. */
export interface PoolChoice {
  /** VMs to keep ready */
  readonly pool: number;
  /** share of requests that then find one ready, as the rule expects it */
  readonly hits: number;
}

/**
 * The least pool with which at least a share `aim` of requests finds a VM ready. Each request makes the node owe one VM,
 * and a request finds one ready when fewer are owed than the pool has: so what is needed is how many are owed.
 *
 * @throws RangeError when VMs are asked for as quickly as the node can make them, or quicker: no pool lasts
 */
export function choosePool(load: Load, tier: Tier, node: Node, aim: number): PoolChoice {
  checkUse(load, tier, node);
  const owed = sumUp(distributeOwed(load, tier, node));
  const places = placesInBursts(load);
  for (let pool = 0; ; pool++) {
    const hits = shareOfHits(load, places, owed, pool);
    if (hits >= aim || pool > owed.length + places.length) return { pool, hits };
  }
}

/**
 * The rule for the back of an envelope: what is asked for while one VM is made, more when the node is busy, three
 * deviations of that, and a burst.
 *
 * @throws RangeError as `choosePool`
 */
export function estimatePool(load: Load, tier: Tier, node: Node): number {
  const use = checkUse(load, tier, node);
  const meanwhile = (load.rate * tier.makeTime) / (1 - use);
  return Math.ceil(meanwhile + 3 * Math.sqrt(meanwhile)) + (load.bursts?.size ?? 0);
}

/** Gives the share of a node's capacity that a load takes. */
function checkUse(load: Load, tier: Tier, node: Node): number {
  const capacity = capacityOf(tier, node);
  const use = rateOf(load) / capacity;
  if (use < 1) return use;
  const asked = `${rateOf(load)} VMs a second are asked for`;
  throw new RangeError(`${asked}, and the node makes ${capacity.toFixed(2)}: no pool lasts`);
}

/** Requests in a second that are the first, the second, … of a burst. */
function placesInBursts({ bursts }: Load): number[] {
  if (!bursts) return [];
  // As many bursts have a third place as have three requests or more.
  const fewer = sumUp(distributeSizes(bursts));
  return fewer.slice(0, -1).map((share) => bursts.rate * (1 - share));
}

/** The first of a burst finds what a single request finds, the second one more owed, and so on. */
function shareOfHits(load: Load, places: readonly number[], owed: readonly number[], pool: number): number {
  const found = (before: number) => owed[Math.min(pool - before, owed.length) - 1] ?? 0;
  const together = places.reduce((sum, rate, place) => sum + rate * found(place), 0);
  return (load.rate * found(0) + together) / rateOf(load);
}

/** Of chances, the running sums. */
function sumUp(chances: readonly number[]): number[] {
  let sum = 0;
  return chances.map((chance) => {
    sum += chance;
    return sum;
  });
}
