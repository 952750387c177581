import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sizeNode } from "./size-node.ts";

const QUESTION = { rate: 1, making: { alone: 1500, work: 1500 }, processors: 2, aim: 0.99, seed: 1 };

describe("sizeNode", () => {
  it("says what to keep, and how many to make at once", () => {
    const [row] = sizeNode(QUESTION).rows;
    assert.deepEqual(row?.slice(0, 2), [10, 2]);
    assert.ok(Math.abs(Number(row?.[2]) - Number(row?.[3])) < 0.5);
  });

  it("makes fewer at once where each takes several processors", () => {
    const [row] = sizeNode({ ...QUESTION, making: { alone: 80, work: 320 }, processors: 8 }).rows;
    assert.equal(row?.[1], 2);
  });

  it("refuses what the node cannot make", () => {
    assert.throws(() => sizeNode({ ...QUESTION, burst: { size: 30, pause: 60 } }), /no pool lasts/);
  });
});
