import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drawArrivals, type Load, rateOf } from "./arrivals.ts";
import { seedRandom } from "./random.ts";

const DAY = 86_400;

function draw(load: Load): number[] {
  return [...drawArrivals(load, DAY, seedRandom(5))];
}

function assertRate(load: Load): void {
  const rate = draw(load).length / DAY;
  assert.ok(Math.abs(rate / rateOf(load) - 1) < 0.05, `${rate}, and not about ${rateOf(load)}`);
}

describe("drawArrivals", () => {
  it("keeps the rate that was asked for", () => {
    assertRate({ name: "steady", rate: 1 });
    assertRate({ name: "bursts", rate: 0.5, bursts: { rate: 0.05, size: 10 } });
    assertRate({ name: "uneven", rate: 0.5, bursts: { rate: 0.05, size: 10, uneven: true } });
    assertRate({ name: "day", rate: 1, day: { swing: 0.8, noise: 0.3 } });
  });

  it("is in order", () => {
    const moments = draw({ name: "bursts", rate: 0.5, bursts: { rate: 0.05, size: 10 } });
    assert.deepEqual(
      moments,
      moments.toSorted((a, b) => a - b),
    );
  });

  it("has pauses that vary as much as they last", () => {
    const moments = draw({ name: "steady", rate: 1 });
    const pauses = moments.map((at, index) => at - (moments[index - 1] ?? 0));
    const variance = pauses.reduce((sum, pause) => sum + (pause - 1) ** 2, 0) / pauses.length;
    assert.ok(Math.abs(variance - 1) < 0.05, `${variance}`);
  });

  it("has its quiet hours at midnight, and its busy ones at noon", () => {
    const moments = draw({ name: "day", rate: 1, day: { swing: 0.8, noise: 0 } });
    const within = (from: number, to: number) =>
      moments.filter((at) => at >= from * 3600 && at < to * 3600).length;
    assert.ok(within(11, 13) > 6 * within(0, 1) && within(11, 13) > 3 * within(22, 24));
  });
});
