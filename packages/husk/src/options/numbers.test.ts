import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePositive } from "./numbers.ts";

describe("parsePositive", () => {
  it("reads whole numbers", () => assert.equal(parsePositive("128"), 128));

  for (const text of ["", "0", "-1", "1.5", "1e3", "0x10", " 1", "ten", "99999999999999999999"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parsePositive(text), /whole number/));
  }
});
