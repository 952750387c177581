import type {
  BlkioStats,
  BlkioStatsEntry,
  CgroupStats,
  NetworkStats as NetworkMessage,
  StatsContainerResponse,
} from "@husk/wire/kata";
import type { BlockIoStats, ContainerStats, CpuStats, MemoryStats, NetworkStats } from "../../types/index.ts";
import { cleanText } from "../../untrusted-text.ts";

const NANOSECONDS_PER_US = 1000;
/** Most devices and interfaces that are told; a guest has fewer. */
const MAX_ENTRIES = 1024;

/** What a container uses, from the agent's answer. */
export function statsOf({ cgroupStats, networkStats }: StatsContainerResponse): ContainerStats {
  const { current = 0n, limit = 0n } = cgroupStats?.pidsStats ?? {};
  return {
    cpu: cpuOf(cgroupStats),
    memory: memoryOf(cgroupStats),
    pids: { current: Number(current), limit: limitOf(limit) },
    blockIo: blockIoOf(cgroupStats?.blkioStats),
    network: networkStats.slice(0, MAX_ENTRIES).map(networkOf),
  };
}

function cpuOf(stats: CgroupStats | undefined): CpuStats {
  const { cpuUsage, throttlingData } = stats?.cpuStats ?? {};
  return {
    usageUs: toUs(cpuUsage?.totalUsage),
    userUs: toUs(cpuUsage?.usageInUsermode),
    systemUs: toUs(cpuUsage?.usageInKernelmode),
    periods: Number(throttlingData?.periods ?? 0),
    throttledPeriods: Number(throttlingData?.throttledPeriods ?? 0),
    throttledUs: toUs(throttlingData?.throttledTime),
  };
}

function memoryOf(stats: CgroupStats | undefined): MemoryStats {
  const { usage, swapUsage, cache = 0n } = stats?.memoryStats ?? {};
  return {
    usage: Number(usage?.usage ?? 0),
    maxUsage: Number(usage?.maxUsage ?? 0),
    limit: limitOf(usage?.limit ?? 0n),
    cache: Number(cache),
    swapUsage: Number(swapUsage?.usage ?? 0),
  };
}

/** Agents tell "no limit" as 0, or as a number that no machine has. */
function limitOf(limit: bigint): number | undefined {
  return limit === 0n || limit > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(limit);
}

function toUs(nanoseconds: bigint | undefined): number {
  return Math.round(Number(nanoseconds ?? 0n) / NANOSECONDS_PER_US);
}

function blockIoOf(stats: BlkioStats | undefined): BlockIoStats[] {
  const devices = new Map<string, { -readonly [Name in keyof BlockIoStats]: number }>();
  const count = (entries: readonly BlkioStatsEntry[] = [], read: Counter, write: Counter) => {
    for (const { major, minor, op, value } of entries.slice(0, 2 * MAX_ENTRIES)) {
      const counter = { read, write }[op.toLowerCase()];
      if (!counter) continue;
      const key = `${major}:${minor}`;
      const device = devices.get(key) ?? {
        ...{ major: Number(major), minor: Number(minor) },
        ...{ readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 },
      };
      device[counter] += Number(value);
      devices.set(key, device);
    }
  };
  count(stats?.ioServiceBytesRecursive, "readBytes", "writtenBytes");
  count(stats?.ioServicedRecursive, "reads", "writes");
  return [...devices.values()];
}

type Counter = "readBytes" | "writtenBytes" | "reads" | "writes";

function networkOf({ name, ...counters }: NetworkMessage): NetworkStats {
  return {
    name: cleanText(name).slice(0, 64),
    rxBytes: Number(counters.rxBytes),
    rxPackets: Number(counters.rxPackets),
    rxErrors: Number(counters.rxErrors),
    rxDropped: Number(counters.rxDropped),
    txBytes: Number(counters.txBytes),
    txPackets: Number(counters.txPackets),
    txErrors: Number(counters.txErrors),
    txDropped: Number(counters.txDropped),
  };
}
