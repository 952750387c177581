/** What the processes of a cgroup have used by now, in the units of the Kata agent. */

import * as sys from "tiny:sys";
import { readTextIfThere } from "@husk/tiny";
import type { BlkioStatsEntry, CgroupStats, MemoryData } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";

const NS_PER_US = 1000n;
/** What stands for no limit of memory. */
const NO_LIMIT = (1n << 64n) - 1n;
/** Operations of devices, and the names of their counts of bytes and of requests in `io.stat`. */
const OPERATIONS = [
  { op: "Read", bytes: "rbytes", requests: "rios" },
  { op: "Write", bytes: "wbytes", requests: "wios" },
  { op: "Discard", bytes: "dbytes", requests: "dios" },
] as const;

type Init<T> = MessageInit<T>;

/** Reads files of one cgroup. What has no file, its controller being off, has no number either. */
class Reader {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  lines(file: string): string[] | undefined {
    return readTextIfThere(`${this.#folder}/${file}`)?.split("\n").filter(Boolean);
  }

  /** The number in a file; `max` is undefined, too. */
  number(file: string): bigint | undefined {
    const text = this.lines(file)?.[0];
    return text === undefined || text === "max" ? undefined : BigInt(text);
  }

  /** The numbers in a file, by their names. */
  numbers(file: string): Map<string, bigint> {
    const pairs = (this.lines(file) ?? []).map((line) => line.split(" "));
    return new Map(pairs.map(([name = "", value = "0"]) => [name, BigInt(value)]));
  }
}

function cpuStats(reader: Reader): Init<CgroupStats["cpuStats"]> {
  const stat = reader.numbers("cpu.stat");
  const time = (name: string) => (stat.get(name) ?? 0n) * NS_PER_US;
  return {
    cpuUsage: {
      totalUsage: time("usage_usec"),
      usageInUsermode: time("user_usec"),
      usageInKernelmode: time("system_usec"),
    },
    throttlingData: {
      periods: stat.get("nr_periods"),
      throttledPeriods: stat.get("nr_throttled"),
      throttledTime: time("throttled_usec"),
    },
  };
}

function memoryStats(reader: Reader): Init<CgroupStats["memoryStats"]> {
  const usage = reader.number("memory.current");
  if (usage === undefined) return undefined;
  const stats = reader.numbers("memory.stat");
  const data = (name: string, used: bigint | undefined): Init<MemoryData> => ({
    usage: used,
    maxUsage: reader.number(`${name}.peak`),
    failcnt: reader.numbers(`${name}.events`).get("max"),
    limit: reader.number(`${name}.max`) ?? NO_LIMIT,
  });
  return {
    cache: stats.get("file"),
    usage: data("memory", usage),
    swapUsage: data("memory.swap", reader.number("memory.swap.current")),
    kernelUsage: { usage: stats.get("kernel") },
    useHierarchy: true,
    stats,
  };
}

function pidsStats(reader: Reader): Init<CgroupStats["pidsStats"]> {
  const current = reader.number("pids.current");
  return current === undefined ? undefined : { current, limit: reader.number("pids.max") };
}

/** `8:0 rbytes=1 wbytes=2 …` */
function blkioStats(reader: Reader): Init<CgroupStats["blkioStats"]> {
  const lines = reader.lines("io.stat");
  if (!lines) return undefined;
  const ioServiceBytesRecursive: Init<BlkioStatsEntry>[] = [];
  const ioServicedRecursive: Init<BlkioStatsEntry>[] = [];
  for (const line of lines) {
    const [device = "", ...words] = line.split(" ");
    const [major = "0", minor = "0"] = device.split(":");
    const counts = new Map(words.map((word) => word.split("=") as [string, string]));
    for (const { op, bytes, requests } of OPERATIONS) {
      const entry = (name: string) => ({
        major: BigInt(major),
        minor: BigInt(minor),
        op,
        value: BigInt(counts.get(name) ?? 0),
      });
      ioServiceBytesRecursive.push(entry(bytes));
      ioServicedRecursive.push(entry(requests));
    }
  }
  return { ioServiceBytesRecursive, ioServicedRecursive };
}

function hugetlbStats(folder: string, reader: Reader): Init<CgroupStats["hugetlbStats"]> {
  const sizes = sys.readdir(folder).flatMap((name) => /^hugetlb\.([^.]+)\.current$/.exec(name)?.[1] ?? []);
  return new Map(
    sizes.map((size) => [
      size,
      {
        usage: reader.number(`hugetlb.${size}.current`),
        failcnt: reader.numbers(`hugetlb.${size}.events`).get("max"),
      },
    ]),
  );
}

/** See the head of the file. */
export function readStats(folder: string): Init<CgroupStats> {
  const reader = new Reader(folder);
  return {
    cpuStats: cpuStats(reader),
    memoryStats: memoryStats(reader),
    pidsStats: pidsStats(reader),
    blkioStats: blkioStats(reader),
    hugetlbStats: hugetlbStats(folder, reader),
  };
}
