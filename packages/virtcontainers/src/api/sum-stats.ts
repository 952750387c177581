import type { BlockIoStats, ContainerStats } from "../types/index.ts";

/** What several containers of one pod use together. What they share, their network, counts once. */
export function sumStats(all: readonly ContainerStats[]): ContainerStats {
  const add = (pick: (stats: ContainerStats) => number) => all.reduce((sum, stats) => sum + pick(stats), 0);
  return {
    cpu: {
      usageUs: add(({ cpu }) => cpu.usageUs),
      userUs: add(({ cpu }) => cpu.userUs),
      systemUs: add(({ cpu }) => cpu.systemUs),
      periods: add(({ cpu }) => cpu.periods),
      throttledPeriods: add(({ cpu }) => cpu.throttledPeriods),
      throttledUs: add(({ cpu }) => cpu.throttledUs),
    },
    memory: {
      usage: add(({ memory }) => memory.usage),
      maxUsage: add(({ memory }) => memory.maxUsage),
      limit: sumLimits(all.map(({ memory }) => memory.limit)),
      cache: add(({ memory }) => memory.cache),
      swapUsage: add(({ memory }) => memory.swapUsage),
    },
    pids: {
      current: add(({ pids }) => pids.current),
      limit: sumLimits(all.map(({ pids }) => pids.limit)),
    },
    blockIo: sumBlockIo(all.flatMap(({ blockIo }) => blockIo)),
    network: all[0]?.network ?? [],
  };
}

/** Together they have a limit only when each has one. */
function sumLimits(limits: readonly (number | undefined)[]): number | undefined {
  if (limits.length === 0) return undefined;
  return limits.reduce((sum, limit) => (sum === undefined || limit === undefined ? undefined : sum + limit));
}

function sumBlockIo(all: readonly BlockIoStats[]): BlockIoStats[] {
  const sums = new Map<string, BlockIoStats>();
  for (const one of all) {
    const key = `${one.major}:${one.minor}`;
    const sum = sums.get(key);
    sums.set(key, sum ? addBlockIo(sum, one) : one);
  }
  return [...sums.values()];
}

function addBlockIo(one: BlockIoStats, other: BlockIoStats): BlockIoStats {
  return {
    ...one,
    readBytes: one.readBytes + other.readBytes,
    writtenBytes: one.writtenBytes + other.writtenBytes,
    reads: one.reads + other.reads,
    writes: one.writes + other.writes,
  };
}
