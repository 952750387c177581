import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeResources } from "./resource-options.ts";

describe("makeResources", () => {
  it("is nothing when nothing was typed", () => assert.equal(makeResources({}), undefined));

  it("makes parts of processors a quota", () => {
    assert.deepEqual(makeResources({ cpuLimit: 1.5, cpuShares: 512, cpusetCpus: "0" }), {
      cpu: { quota: 150_000, period: 100_000, shares: 512, cpus: "0" },
    });
  });

  it("says by -1 that there is no limit", () => {
    const none = Number.POSITIVE_INFINITY;
    assert.deepEqual(makeResources({ cpuLimit: none, memoryLimit: none, pidsLimit: 7 }), {
      cpu: { quota: -1, period: 100_000 },
      memory: { limit: -1 },
      pids: { limit: 7 },
    });
  });
});
