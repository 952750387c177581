import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drawArrivals, type Load } from "./arrivals.ts";
import { assess } from "./assess.ts";
import { followRate } from "./follow-rate.ts";
import { seedRandom } from "./random.ts";
import { type History, type PoolPolicy, simulate } from "./simulate.ts";
import { COPY, type Node, type Tier } from "./tiers.ts";

/** Takes one second of one processor, and nothing to adopt: times are then those of the books. */
const SECOND: Tier = { ...COPY, name: "second", makeTime: 1, makeWork: 1, adoptTime: 0 };
const ONE: Node = { processors: 1, atOnce: 1 };
const MANY: Node = { processors: 1000, atOnce: 1000 };

function run(load: Load, node: Node, pool: number | PoolPolicy, requests: number, seed = 1): History {
  const arrivals = drawArrivals(load, requests / load.rate, seedRandom(seed));
  return simulate({ tier: SECOND, node, pool, arrivals });
}

function steady(rate: number): Load {
  return { name: "steady", rate };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function closeTo(actual: number, expected: number, part: number): void {
  assert.ok(Math.abs(actual - expected) <= part * expected, `${actual}, and not about ${expected}`);
}

describe("simulate", () => {
  it("waits as a queue M/D/1 does: ρ / 2(1 − ρ) of the time that one takes", () => {
    closeTo(meanOf(run(steady(0.5), ONE, 0, 100_000).waits), 1 + 0.5, 0.02);
    closeTo(meanOf(run(steady(0.8), ONE, 0, 200_000).waits), 1 + 2, 0.04);
  });

  it("shares processors as a queue M/D/1-PS does: 1 / (1 − ρ) of the time that one takes", () => {
    closeTo(meanOf(run(steady(0.5), { processors: 1, atOnce: 1000 }, 0, 100_000).waits), 2, 0.03);
  });

  it("finds one ready as often as fewer than the pool are asked for meanwhile, where all can be made at once", () => {
    // Poisson with mean 2: P(0) + P(1) + P(2).
    const { hits, waits } = run(steady(2), MANY, 3, 100_000);
    closeTo(hits / waits.length, 5 * Math.exp(-2), 0.01);
  });

  it("loses no request and no VM", () => {
    const history = run(steady(0.9), ONE, 5, 20_000);
    const asked = [...drawArrivals(steady(0.9), 20_000 / 0.9, seedRandom(1))].length;
    assert.equal(history.waits.length, asked);
    assert.equal(history.left, 5);
    assert.equal(history.made, asked);
    assert.equal(history.dropped, 0);
  });

  it("loses none when the pool changes either", () => {
    const policy = followRate(0.1, SECOND, MANY, 0.99);
    const history = run(steady(3), MANY, policy, 20_000);
    assert.ok(history.dropped > 0);
    assert.equal(policy.start + history.made, history.waits.length + history.left + history.dropped);
  });

  it("answers in the order of requests", () => {
    const answers = run(steady(0.9), { processors: 2, atOnce: 2 }, 1, 5_000).answers;
    assert.deepEqual(
      answers,
      answers.toSorted((a, b) => a - b),
    );
  });

  it("gives the same for the same seed, and something else for another", () => {
    assert.deepEqual(run(steady(0.7), ONE, 2, 5_000, 7), run(steady(0.7), ONE, 2, 5_000, 7));
    assert.notDeepEqual(run(steady(0.7), ONE, 2, 5_000, 7), run(steady(0.7), ONE, 2, 5_000, 8));
  });

  it("makes a copy in the time that was measured, alone and with others", () => {
    const lastOf = (size: number) => {
      const arrivals = new Array<number>(size).fill(0);
      const history = simulate({ tier: COPY, node: { processors: 2, atOnce: 100 }, pool: 0, arrivals });
      return Math.max(...history.waits);
    };
    // qemu.md: 81 ms alone, all of 4 within 0.24 s, of 8 within 0.54 s.
    closeTo(lastOf(1), 0.081, 0.1);
    closeTo(lastOf(4), 0.24, 0.15);
    closeTo(lastOf(8), 0.54, 0.05);
  });
});

describe("assess", () => {
  const history = run(steady(1), MANY, 1, 50_000);
  const found = assess(history, SECOND, MANY, 30, seedRandom(2));

  it("has as many pods running as Little's law says", () => {
    closeTo(found.runningMemory, 1 * 30 * SECOND.runningMemory, 0.03);
  });

  it("counts the memory of what waits, of what is being made, and of what is shared", () => {
    // One more than is asked for while one is made, and what misses wait for: E max(1, N), N of mean 1.
    closeTo(found.poolMemory, SECOND.sharedMemory + (1 + Math.exp(-1)) * SECOND.waitingMemory, 0.02);
  });

  it("counts the processors' time", () => closeTo(found.work, history.made * SECOND.makeWork, 1e-9));
});
