import { drawArrivals, type Load, rateOf } from "./arrivals.ts";
import { choosePool } from "./pool-rule.ts";
import { seedRandom } from "./random.ts";
import { simulate } from "./simulate.ts";
import type { Table } from "./table.ts";
import { COPY, capacityOf, type Tier } from "./tiers.ts";

/** requests that the answer is checked with, about */
const REQUESTS = 50_000;

/** What a person knows of a node; what is missing is as on the machine of docs/scale.md. */
export interface NodeQuestion {
  /** single requests in a second */
  readonly rate: number;
  /** requests that come at once, and seconds between two such times */
  readonly burst?: { readonly size: number; readonly pause: number };
  /** milliseconds that a VM takes alone, and of a processor */
  readonly making: { readonly alone: number; readonly work: number };
  readonly processors: number;
  /** share of requests that shall find a VM ready */
  readonly aim: number;
  readonly seed: number;
}

/** How many VMs such a node should keep, and what the simulation says to that. */
export function sizeNode({ rate, burst, making, processors, aim, seed }: NodeQuestion): Table {
  const tier: Tier = {
    ...COPY,
    name: "given",
    makeTime: making.alone / 1000,
    makeWork: making.work / 1000,
  };
  // As many as use all processors; more of them at once come later, all of them.
  const node = { processors, atOnce: Math.max(1, Math.ceil((processors * tier.makeTime) / tier.makeWork)) };
  const load: Load = {
    name: "given",
    rate,
    ...(burst ? { bursts: { rate: 1 / burst.pause, size: burst.size } } : {}),
  };
  const { pool, hits } = choosePool(load, tier, node, aim);
  const arrivals = drawArrivals(load, REQUESTS / rateOf(load), seedRandom(seed));
  const history = simulate({ tier, node, pool, arrivals });
  return {
    title: "This node",
    columns: ["pool", "VMs at once", "hits % expected", "hits % simulated", "VMs a second at most"],
    rows: [
      [pool, node.atOnce, 100 * hits, (100 * history.hits) / history.waits.length, capacityOf(tier, node)],
    ],
  };
}
