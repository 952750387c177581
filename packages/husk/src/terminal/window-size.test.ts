import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readWindowSize } from "./window-size.ts";

describe("readWindowSize", () => {
  it("takes the first terminal that knows its size", () => {
    const streams = [
      { rows: 1, columns: 1 },
      { isTTY: true, rows: 0, columns: 0 },
      { isTTY: true, rows: 24, columns: 80 },
    ];
    assert.deepEqual(readWindowSize(streams), { rows: 24, columns: 80 });
  });

  it("knows nothing without a terminal", () =>
    assert.equal(readWindowSize([{}, { isTTY: false }]), undefined));
});
