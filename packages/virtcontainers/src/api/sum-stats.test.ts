import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerStats } from "../types/index.ts";
import { sumStats } from "./sum-stats.ts";

function makeStats(n: number, limit: number | undefined): ContainerStats {
  const traffic = { rxBytes: n, rxPackets: n, rxErrors: n, rxDropped: n };
  return {
    cpu: { usageUs: n, userUs: n, systemUs: n, periods: n, throttledPeriods: n, throttledUs: n },
    memory: { usage: n, maxUsage: n, limit, cache: n, swapUsage: n },
    pids: { current: n, limit },
    blockIo: [
      { major: 254, minor: 0, readBytes: n, writtenBytes: n, reads: n, writes: n },
      { major: 254, minor: n, readBytes: n, writtenBytes: 0, reads: n, writes: 0 },
    ],
    network: [{ name: "eth0", ...traffic, txBytes: n, txPackets: n, txErrors: n, txDropped: n }],
  };
}

test("all is added up, but for the network, which is the pod's", () => {
  const { cpu, memory, pids, blockIo, network } = sumStats([makeStats(1, 10), makeStats(2, 20)]);
  assert.ok(Object.values(cpu).every((value) => value === 3));
  assert.deepEqual(memory, { usage: 3, maxUsage: 3, limit: 30, cache: 3, swapUsage: 3 });
  assert.deepEqual(pids, { current: 3, limit: 30 });
  assert.deepEqual(
    blockIo.map(({ minor, readBytes, writes }) => [minor, readBytes, writes]),
    [
      [0, 3, 3],
      [1, 1, 0],
      [2, 2, 0],
    ],
  );
  assert.equal(network[0]?.rxBytes, 1);
});

test("containers together have a limit only when each has one", () => {
  assert.equal(sumStats([makeStats(1, 10), makeStats(1, undefined)]).memory.limit, undefined);
  assert.deepEqual([sumStats([]).pids, sumStats([]).network], [{ current: 0, limit: undefined }, []]);
});
