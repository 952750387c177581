import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeEndpoint, makeServedFactory, parseTiers } from "./cache-options.ts";

describe("parseTiers", () => {
  it("reads numbers of tiers", () => {
    assert.deepEqual(parseTiers("rehearsed=2,prepared=4"), { rehearsed: 2, prepared: 4 });
    assert.deepEqual(parseTiers("paused=1"), { paused: 1 });
  });

  for (const text of [
    "",
    "paused",
    "paused=",
    "paused=0",
    "paused=1=2",
    "warm=1",
    "paused=1,paused=2",
    "paused=1,",
  ])
    it(`refuses "${text}"`, () =>
      assert.throws(() => parseTiers(text), { code: "commander.invalidArgument" }));
});

describe("makeServedFactory", () => {
  it("keeps two VMs, unless it is told otherwise", () => {
    assert.deepEqual(makeServedFactory({}), { vmCacheNumber: 2 });
    assert.deepEqual(makeServedFactory({ number: 4, template: true, endpoint: "/e" }), {
      vmCacheNumber: 4,
      template: true,
      vmCacheEndpoint: "/e",
    });
    assert.deepEqual(makeServedFactory({ tiers: { paused: 1 } }), { vmCacheTiers: { paused: 1 } });
  });

  it("refuses two ways to say the same", () =>
    assert.throws(() => makeServedFactory({ number: 1, tiers: { paused: 1 } }), /exclude each other/));

  it("refuses to prepare copies of nothing", () =>
    assert.throws(() => makeServedFactory({ tiers: { prepared: 1 } }), /and there is none/));
});

describe("makeEndpoint", () => {
  it("makes paths absolute, and leaves the default to the library", () => {
    assert.deepEqual(makeEndpoint({ endpoint: "here" }), { vmCacheEndpoint: `${process.cwd()}/here` });
    assert.deepEqual(makeEndpoint({}), {});
  });
});
