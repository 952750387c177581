import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ContainerStats, PodStats } from "@husk/virtcontainers";
import { renderStats, type StatsSample } from "./stats-table.ts";

const MIB = 1024 * 1024;

function makeContainer(usageUs: number, limit?: number): ContainerStats {
  const traffic = { rxPackets: 1, rxErrors: 0, rxDropped: 0, txPackets: 1, txErrors: 0, txDropped: 0 };
  return {
    cpu: { usageUs, userUs: 0, systemUs: 0, periods: 0, throttledPeriods: 0, throttledUs: 0 },
    memory: { usage: 3 * MIB, maxUsage: 0, limit, cache: 0, swapUsage: 0 },
    pids: { current: 4, limit: undefined },
    blockIo: [{ major: 254, minor: 0, readBytes: 2048, writtenBytes: 0, reads: 1, writes: 0 }],
    network: [
      { name: "lo", rxBytes: 999, txBytes: 999, ...traffic },
      { name: "eth0", rxBytes: 100, txBytes: 1024, ...traffic },
    ],
  };
}

function makeSample(
  podId: string,
  at: number,
  cpuUs: number,
  containers: Record<string, ContainerStats>,
): StatsSample {
  const vm = { cpuUs, rss: 150 * MIB, vcpus: 1, memory: 256 * MIB };
  const stats: PodStats = { ...makeContainer(0), containers, vm };
  return { podId, at, stats };
}

const lines = (text: string) => text.trimEnd().split("\n").slice(1);

describe("renderStats", () => {
  it("shows what was used between two looks", () => {
    const before = makeSample("web", 1000, 0, { web: makeContainer(0) });
    const now = makeSample("web", 3000, 1_000_000, { web: makeContainer(250_000, 64 * MIB) });
    assert.deepEqual(lines(renderStats([now], [before])), [
      "web    12.5  3 MiB / 64 MiB     4  100 B / 1 KiB  2 KiB / 0 B      50.0  150 MiB",
    ]);
  });

  it("shows what is the pod's once, and what is not known as a dash", () => {
    const pod = makeSample("web", 0, 0, { a: makeContainer(0), b: makeContainer(0) });
    const [first = "", second = ""] = lines(renderStats([pod], []));
    assert.match(first, /^web\/a +- +3 MiB \/ none +4 +100 B .* - +150 MiB$/);
    assert.match(second, /^web\/b +- +3 MiB \/ none +4 +2 KiB \/ 0 B$/);
  });

  it("shows a pod without containers that run", () => {
    assert.match(lines(renderStats([makeSample("web", 0, 0, {})], []))[0] ?? "", /^web +- .* 150 MiB$/);
  });
});
