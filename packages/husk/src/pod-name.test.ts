import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makePodName } from "./pod-name.ts";

describe("makePodName", () => {
  it("makes names that are valid ids and valid host names", () => {
    for (let count = 0; count < 1000; count++) assert.match(makePodName(), /^[a-z]+-[a-z]+-[0-9]{1,3}$/);
  });

  it("does not repeat itself at once", () => {
    assert.ok(new Set(Array.from({ length: 20 }, makePodName)).size > 15);
  });
});
