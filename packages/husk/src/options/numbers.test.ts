import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCpus, parsePositive, parseSize } from "./numbers.ts";

describe("parsePositive", () => {
  it("reads whole numbers", () => assert.equal(parsePositive("128"), 128));

  for (const text of ["", "0", "-1", "1.5", "1e3", "0x10", " 1", "ten", "99999999999999999999"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parsePositive(text), /whole number/));
  }
});

describe("parseCpus", () => {
  it("reads parts of processors", () =>
    assert.deepEqual(["0.5", "2", "0.01"].map(parseCpus), [0.5, 2, 0.01]));

  for (const text of ["", "0", "0.001", "-1", ".5", "1e1", "1001", "two"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseCpus(text), /number of processors/));
  }
});

describe("parseSize", () => {
  it("reads bytes, and sizes with a letter", () => {
    assert.deepEqual(
      ["65536", "1b", "4k", "64m", "1G"].map(parseSize),
      [65536, 1, 4096, 67108864, 1073741824],
    );
  });

  for (const text of ["", "0", "0m", "m", "1.5g", "64mb", "-1", "99999999t"]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseSize(text), /size above 0/));
  }
});
