import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { interleave, isMet, type Measurement, median, ratioOf, summarise } from "./measurement.ts";
import { renderTable } from "./report.ts";

const BASE: Measurement = { part: "a", what: "boot", value: 130, unit: "ms" };

describe("median", () => {
  it("is the middle of an odd count", () => assert.equal(median([9, 1, 5]), 5));
  it("is the mean of the two in the middle of an even count", () => assert.equal(median([4, 1, 3, 2]), 2.5));
  it("does not exist of nothing", () => assert.throws(() => median([])));
});

describe("summarise", () => {
  it("gives median, range and count", () => {
    assert.deepEqual(summarise([3, 1, 2]), { value: 2, range: [1, 3], runs: 3 });
  });
});

describe("interleave", () => {
  it("takes turns", async () => {
    const order: string[] = [];
    const run = (name: string, value: number) => async () => {
      order.push(name);
      return value;
    };
    assert.deepEqual(await interleave(2, run("A", 1), run("B", 2)), [
      [1, 1],
      [2, 2],
    ]);
    assert.equal(order.join(""), "ABAB");
  });
});

describe("isMet", () => {
  it("judges the value or the ratio, each limit included", () => {
    const atMost = { of: "value", relation: "at most", limit: 130 } as const;
    const atLeast = { of: "ratio", relation: "at least", limit: 0.5 } as const;
    assert.equal(isMet({ ...BASE, target: atMost }), true);
    assert.equal(isMet({ ...BASE, value: 131, target: atMost }), false);
    assert.equal(isMet({ ...BASE, baseline: 260, target: atLeast }), true);
    assert.equal(isMet({ ...BASE, baseline: 261, target: atLeast }), false);
  });

  it("does not judge what has no target", () => assert.equal(isMet(BASE), undefined));
  it("fails a ratio that has nothing to be compared with", () => {
    assert.equal(isMet({ ...BASE, target: { of: "ratio", relation: "at most", limit: 9 } }), false);
    assert.equal(ratioOf(BASE), undefined);
  });
});

describe("renderTable", () => {
  it("has a line for each figure, with its verdict", () => {
    const target = { of: "ratio", relation: "at most", limit: 1.3 } as const;
    const text = renderTable([{ ...BASE, baseline: 100, runs: 10, range: [120, 140], target }]);
    const line = "a  boot  130 ms  120–140  100 ms   1.30   10    at most 1.3 ×  ✓";
    assert.equal(text.split("\n")[1], line);
  });
});
