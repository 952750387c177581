import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drawArrivals, type Load } from "./arrivals.ts";
import { findLeastPool } from "./least-pool.ts";
import { distributeOwed, distributeSizes } from "./owed.ts";
import { choosePool, estimatePool } from "./pool-rule.ts";
import { seedRandom } from "./random.ts";
import { simulate } from "./simulate.ts";
import { BOOT, COPY, type Node, type Tier } from "./tiers.ts";

const SECOND: Tier = { ...COPY, name: "second", makeTime: 1, makeWork: 1, adoptTime: 0 };
const NODE: Node = { processors: 2, atOnce: 2 };

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

describe("distributeOwed", () => {
  it("is that of a queue M/D/1", () => {
    const owed = distributeOwed({ name: "", rate: 0.5 }, SECOND, { processors: 1, atOnce: 1 });
    // 1 − ρ, and (1 − ρ)(e^ρ − 1).
    assert.ok(Math.abs((owed[0] ?? 0) - 0.5) < 1e-6);
    assert.ok(Math.abs((owed[1] ?? 0) - 0.5 * (Math.exp(0.5) - 1)) < 1e-6);
    assert.ok(Math.abs(sumOf(owed) - 1) < 1e-6);
  });

  it("is Poisson's where all can be made at once", () => {
    const owed = distributeOwed({ name: "", rate: 2 }, SECOND, { processors: 99, atOnce: 99 });
    assert.ok(Math.abs((owed[2] ?? 0) - 2 * Math.exp(-2)) < 1e-6);
  });

  it("has the mean of what is asked for while one is made, with bursts as well", () => {
    const load: Load = { name: "", rate: 1, bursts: { rate: 0.1, size: 7, uneven: true } };
    const owed = distributeOwed(load, SECOND, { processors: 300, atOnce: 300 });
    assert.ok(Math.abs(sumOf(owed.map((chance, count) => chance * count)) - 1.7) < 1e-4);
  });
});

describe("distributeSizes", () => {
  it("has the mean that it is told", () => {
    for (const uneven of [false, true]) {
      const sizes = distributeSizes({ rate: 1, size: 5, uneven });
      assert.ok(Math.abs(sumOf(sizes.map((chance, size) => chance * size)) - 5) < 1e-6);
    }
  });
});

describe("choosePool", () => {
  it("gives about what the simulation needs", () => {
    const loads: Load[] = [
      { name: "steady", rate: 0.8 },
      { name: "bursts", rate: 0.2, bursts: { rate: 1 / 60, size: 8 } },
    ];
    for (const load of loads) {
      const { pool } = choosePool(load, BOOT, NODE, 0.99);
      const needed = findLeastPool((size) => {
        const arrivals = drawArrivals(load, 60_000, seedRandom(3));
        const { hits, waits } = simulate({ tier: BOOT, node: NODE, pool: size, arrivals });
        return hits / waits.length;
      }, 0.99);
      assert.ok(Math.abs(pool - needed) <= 1, `${load.name}: ${pool}, and ${needed} are needed`);
    }
  });

  it("needs more for a higher aim", () => {
    const poolFor = (aim: number) => choosePool({ name: "", rate: 1 }, BOOT, NODE, aim).pool;
    assert.ok(poolFor(0.9) < poolFor(0.99) && poolFor(0.99) < poolFor(0.9999));
  });

  it("refuses a load that no pool lasts for", () => {
    const load = { name: "", rate: 2 };
    assert.throws(
      () => choosePool(load, BOOT, NODE, 0.99),
      /2 VMs a second are asked for.*1\.33: no pool lasts/,
    );
    assert.throws(() => estimatePool(load, BOOT, NODE), RangeError);
  });
});

describe("findLeastPool", () => {
  it("finds the first that is enough", () => {
    for (const least of [0, 1, 2, 3, 17, 64])
      assert.equal(
        findLeastPool((pool) => (pool >= least ? 1 : 0), 0.99),
        least,
      );
  });
});
