import type { Bursts, Load } from "./arrivals.ts";
import { capacityOf, type Node, type Tier } from "./tiers.ts";

/** chance that is left out at the end of a distribution */
const NEGLIGIBLE = 1e-10;
/** how little the chances may still move, together, when they count as settled */
const SETTLED = 1e-9;
/** times that VMs are made after which they must have settled */
const MOST_ROUNDS = 100_000;

/**
 * Chances that a node owes 0, 1, 2, … VMs at any moment.
 *
 * While one VM is made, as many as can be made at once become ready, of those that were owed before; what is owed then
 * is the rest, and what was asked for meanwhile. Whatever one begins with, this repeated ends in the chances. It is
 * exact where each VM takes the same time (a queue M/D/c with requests that may come together).
 */
export function distributeOwed(load: Load, tier: Tier, node: Node): number[] {
  const asked = distributeRequests(load, node.atOnce / capacityOf(tier, node));
  let owed = asked;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = addUp(takeAway(owed, node.atOnce), asked);
    const moved = next.reduce((sum, chance, count) => sum + Math.abs(chance - (owed[count] ?? 0)), 0);
    owed = next;
    if (moved < SETTLED) return owed;
  }
  throw new RangeError("more is asked for than can be made");
}

/** Chances that a burst has 0, 1, 2, … requests. */
export function distributeSizes({ size, uneven }: Bursts): number[] {
  if (!uneven) return [...new Array<number>(size).fill(0), 1];
  const chances = [0];
  for (let left = 1; left > NEGLIGIBLE; left *= 1 - 1 / size) chances.push(left / size);
  return chances;
}

/** Chances of 0, 1, 2, … requests in some seconds, by Panjer's recursion. */
function distributeRequests({ rate, bursts }: Load, seconds: number): number[] {
  // How often, in those seconds, so many requests come together.
  const often = bursts ? distributeSizes(bursts).map((chance) => chance * bursts.rate * seconds) : [0, 0];
  often[1] = (often[1] ?? 0) + rate * seconds;
  const chances = [Math.exp(-often.reduce((sum, mean) => sum + mean, 0))];
  for (let left = 1 - (chances[0] ?? 0); left > NEGLIGIBLE; left -= chances.at(-1) ?? 0) {
    const count = chances.length;
    let sum = 0;
    for (let together = 1; together <= Math.min(count, often.length - 1); together++)
      sum += together * (often[together] ?? 0) * (chances[count - together] ?? 0);
    chances.push(sum / count);
  }
  return chances;
}

/** Chances of a count that is less by `many`, but not below 0. */
function takeAway(chances: readonly number[], many: number): number[] {
  const none = chances.slice(0, many + 1).reduce((sum, chance) => sum + chance, 0);
  return [none, ...chances.slice(many + 1)];
}

/** Chances of the sum of two counts, without its end that hardly ever comes. */
function addUp(one: readonly number[], other: readonly number[]): number[] {
  const sums = new Array<number>(one.length + other.length - 1).fill(0);
  for (const [count, chance] of one.entries())
    for (const [more, also] of other.entries())
      sums[count + more] = (sums[count + more] ?? 0) + chance * also;
  let end = sums.length;
  for (let left = 0; end > 1 && left + (sums[end - 1] ?? 0) < NEGLIGIBLE / 100; end--)
    left += sums[end - 1] ?? 0;
  return sums.slice(0, end);
}
