/** Figures of the agent itself, by the names that Kata's agent gives them. Reference: virtcontainers.md 8.3. */

import * as sys from "tiny:sys";
import { itemMetric, type Metric, plainMetric } from "./metric-text.ts";
import { readLines, readPairs, wordsOf } from "./proc-files.ts";

/** The kernel's unit of time in its files: ticks in a second. */
export const TICKS_PER_SECOND = 100;

const KIB = 1024;

/** Places in `/proc/self/stat` behind the name, which may have blanks in it. */
const STAT = { utime: 11, stime: 12, cutime: 13, cstime: 14, threads: 17, starttime: 19 } as const;

let scrapes = 0;

function readStat(): Map<keyof typeof STAT, number> {
  const [line = ""] = readLines("/proc/self/stat");
  const words = wordsOf(line.slice(line.lastIndexOf(")") + 1));
  return new Map(
    Object.entries(STAT).map(([name, at]) => [name as keyof typeof STAT, Number(words[at] ?? 0)]),
  );
}

/** Figures of `/proc/self/status` that are amounts: memory in bytes, and counts of switches. */
function readStatus(): Map<string, number> {
  const pairs = readPairs("/proc/self/status").filter(([name]) =>
    /^(Vm|Rss|Hugetlb)|ctxt_switches$/.test(name),
  );
  return new Map(
    pairs.map(([name, value, unit]) => [name.toLowerCase(), unit === "kB" ? value * KIB : value]),
  );
}

function readOpenFiles(): number {
  return sys.readdir("/proc/self/fd").length;
}

function readMaxFiles(): number {
  const line = readLines("/proc/self/limits").find((one) => one.startsWith("Max open files"));
  return Number(wordsOf(line ?? "")[3] ?? 0);
}

/** When the machine was started, in seconds since 1970. */
function readBootTime(): number {
  const line = readLines("/proc/stat").find((one) => one.startsWith("btime "));
  return Number(wordsOf(line ?? "")[1] ?? 0);
}

const gauge = (name: string, help: string, value: number): Metric =>
  plainMetric({ name: `kata_agent_${name}`, help, type: "gauge" }, value);

const counter = (name: string, help: string, value: number): Metric =>
  plainMetric({ name: `kata_agent_${name}`, help, type: "counter" }, value);

/** Reads them. */
export function readAgentMetrics(): Metric[] {
  const stat = readStat();
  const status = readStatus();
  const seconds = (name: keyof typeof STAT) => (stat.get(name) ?? 0) / TICKS_PER_SECOND;
  const bytes = (name: string) => status.get(name) ?? 0;
  const times = (["cstime", "cutime", "stime", "utime"] as const).map(
    (name) => [name, stat.get(name) ?? 0] as const,
  );
  const busy = seconds("utime") + seconds("stime");
  scrapes += 1;
  return [
    itemMetric(
      { name: "kata_agent_io_stat", help: "Figures of /proc/self/io.", type: "gauge" },
      readPairs("/proc/self/io").map(([name, value]) => [name.replaceAll("_", ""), value]),
    ),
    itemMetric(
      { name: "kata_agent_proc_stat", help: "Times of /proc/self/stat in ticks.", type: "gauge" },
      times,
    ),
    itemMetric(
      {
        name: "kata_agent_proc_status",
        help: "Figures of /proc/self/status, memory in bytes.",
        type: "gauge",
      },
      status,
    ),
    counter("process_cpu_seconds_total", "Time that the agent has worked, in seconds.", busy),
    gauge("process_max_fds", "Most files that it may have open.", readMaxFiles()),
    gauge("process_open_fds", "Files that it has open.", readOpenFiles()),
    gauge("process_resident_memory_bytes", "Memory that it has resident.", bytes("vmrss")),
    gauge(
      "process_start_time_seconds",
      "When it was started, in seconds since 1970.",
      readBootTime() + seconds("starttime"),
    ),
    gauge("process_virtual_memory_bytes", "Memory that it has mapped.", bytes("vmsize")),
    counter("scrape_count", "How often this was asked for.", scrapes),
    gauge("threads", "Its threads.", stat.get("threads") ?? 0),
    gauge("total_rss", "Memory that it has resident, in bytes.", bytes("vmrss")),
    gauge("total_time", "Time that it has worked, in seconds.", busy),
    gauge("total_vm", "Memory that it has mapped, in bytes.", bytes("vmsize")),
  ];
}
