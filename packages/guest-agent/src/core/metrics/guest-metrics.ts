/** Figures of the guest as a whole, by the names that Kata's agent gives them. Reference: virtcontainers.md 8.3. */

import { TICKS_PER_SECOND } from "./agent-metrics.ts";
import { itemMetric, type Metric, type Sample } from "./metric-text.ts";
import { readLines, readPairs, wordsOf } from "./proc-files.ts";

/** The columns of the files, as the kernel's documentation has them, by the names that Kata has for them. */
const LOADS = ["load1", "load5", "load15"];
const CPU_TIMES = "user nice system idle iowait irq softirq steal guest guest_nice".split(" ");
const NET_COLUMNS =
  "recv_bytes recv_packets recv_errs recv_drop recv_fifo recv_frame recv_compressed recv_multicast sent_bytes sent_packets sent_errs sent_drop sent_fifo sent_colls sent_carrier sent_compressed".split(
    " ",
  );
const DISK_COLUMNS =
  "reads merged sectors_read time_reading writes writes_merged sectors_written time_writing in_progress time_in_progress weighted_time_in_progress discards discards_merged sectors_discarded time_discarding flushes time_flushing".split(
    " ",
  );

const KIB = 1024;

/** A row of a table: the figures of one thing, by the names of the columns. */
function rowSamples(
  label: string,
  thing: string,
  columns: readonly string[],
  values: readonly string[],
): Sample[] {
  return columns.flatMap((column, at) => {
    const text = values[at];
    if (text === undefined) return [];
    return [
      {
        labels: [
          [label, thing],
          ["item", column],
        ] as const,
        value: Number(text),
      },
    ];
  });
}

function readCpuTimes(): Sample[] {
  return readLines("/proc/stat")
    .filter((line) => line.startsWith("cpu"))
    .flatMap((line) => {
      const [name = "", ...values] = wordsOf(line);
      const seconds = values.map((ticks) => String(Number(ticks) / TICKS_PER_SECOND));
      return rowSamples("cpu", name === "cpu" ? "total" : name.slice("cpu".length), CPU_TIMES, seconds);
    });
}

function readNetwork(): Sample[] {
  return readLines("/proc/net/dev").flatMap((line) => {
    const colon = line.indexOf(":");
    // The two lines of headings have none.
    if (colon < 0) return [];
    return rowSamples("interface", line.slice(0, colon).trim(), NET_COLUMNS, wordsOf(line.slice(colon + 1)));
  });
}

function readDisks(): Sample[] {
  return readLines("/proc/diskstats").flatMap((line) => {
    const [, , name = "", ...values] = wordsOf(line);
    return rowSamples("disk", name, DISK_COLUMNS, values);
  });
}

function readLoad(): [string, number][] {
  const [line = ""] = readLines("/proc/loadavg");
  const words = wordsOf(line);
  return LOADS.map((name, at) => [name, Number(words[at] ?? 0)]);
}

/** Tasks there are, and most there can be. */
function readTasks(): [string, number][] {
  const [line = ""] = readLines("/proc/loadavg");
  const current = Number(line.split("/")[1]?.split(" ")[0] ?? 0);
  const [max = "0"] = readLines("/proc/sys/kernel/threads-max");
  return [
    ["cur", current],
    ["max", Number(max)],
  ];
}

/** `Active(anon)` is `active_anon`. */
function memoryItem(name: string): string {
  return name.toLowerCase().replace("(", "_").replace(")", "");
}

const guest = (name: string, help: string) => ({ name: `kata_guest_${name}`, help, type: "gauge" as const });

/** Reads them. What the kernel does not tell is left out. */
export function readGuestMetrics(): Metric[] {
  const memory = readPairs("/proc/meminfo").map(
    ([name, value, unit]) => [memoryItem(name), unit === "kB" ? value * KIB : value] as const,
  );
  return [
    { ...guest("cpu_time", "Times of the CPUs in seconds."), samples: readCpuTimes() },
    { ...guest("diskstat", "Figures of the disks."), samples: readDisks() },
    itemMetric(guest("load", "Load averages."), readLoad()),
    itemMetric(guest("meminfo", "Figures of memory, in bytes."), memory),
    { ...guest("netdev_stat", "Figures of the network interfaces."), samples: readNetwork() },
    itemMetric(guest("tasks", "Tasks."), readTasks()),
    itemMetric(
      guest("vm_stat", "Figures of virtual memory."),
      readPairs("/proc/vmstat").map(([name, value]) => [name, value]),
    ),
  ];
}
