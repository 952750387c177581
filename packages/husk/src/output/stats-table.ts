import type { ContainerStats, PodStats } from "@husk/virtcontainers";
import { formatBytes } from "./bytes.ts";
import { type Column, renderTable } from "./table.ts";

/** What a pod used at a moment. */
export interface StatsSample {
  readonly podId: string;
  readonly stats: PodStats;
  /** milliseconds since any fixed moment */
  readonly at: number;
}

const COLUMNS: readonly Column[] = [
  { title: "NAME" },
  { title: "CPU %", align: "right" },
  { title: "MEMORY / LIMIT" },
  { title: "PIDS", align: "right" },
  { title: "NET I/O" },
  { title: "BLOCK I/O" },
  { title: "VM CPU %", align: "right" },
  { title: "VM MEMORY" },
];

/** Renders what containers use, each on a line; what is the pod's stands on the first of its lines. */
export function renderStats(now: readonly StatsSample[], before: readonly StatsSample[]): string {
  const rows = now.flatMap((sample) =>
    podRows(
      sample,
      before.find(({ podId }) => podId === sample.podId),
    ),
  );
  return renderTable(COLUMNS, rows);
}

function podRows(sample: StatsSample, before: StatsSample | undefined): string[][] {
  const { podId, stats } = sample;
  const { vm, containers } = stats;
  const elapsedMs = before ? sample.at - before.at : 0;
  const vmCells = [percent(vm.cpuUs, before?.stats.vm.cpuUs, elapsedMs), formatBytes(vm.rss)];
  const ids = Object.keys(containers);
  if (ids.length === 0) return [[podId, "-", "-", "-", "-", "-", ...vmCells]];
  return Object.entries(containers).map(([id, container], index) => [
    ids.length === 1 && id === podId ? podId : `${podId}/${id}`,
    percent(container.cpu.usageUs, before?.stats.containers[id]?.cpu.usageUs, elapsedMs),
    describeMemory(container),
    String(container.pids.current),
    index === 0 ? describeNetwork(container) : "",
    describeDisks(container),
    ...(index === 0 ? vmCells : ["", ""]),
  ]);
}

function percent(usedUs: number, beforeUs: number | undefined, elapsedMs: number): string {
  if (beforeUs === undefined || elapsedMs <= 0) return "-";
  return ((Math.max(usedUs - beforeUs, 0) / elapsedMs / 1000) * 100).toFixed(1);
}

function describeMemory({ memory }: ContainerStats): string {
  const limit = memory.limit === undefined ? "none" : formatBytes(memory.limit);
  return `${formatBytes(memory.usage)} / ${limit}`;
}

/** Received / sent. */
function describeNetwork({ network }: ContainerStats): string {
  const links = network.filter(({ name }) => name !== "lo");
  if (links.length === 0) return "-";
  const received = links.reduce((sum, { rxBytes }) => sum + rxBytes, 0);
  return `${formatBytes(received)} / ${formatBytes(links.reduce((sum, { txBytes }) => sum + txBytes, 0))}`;
}

/** Read / written. */
function describeDisks({ blockIo }: ContainerStats): string {
  const read = blockIo.reduce((sum, { readBytes }) => sum + readBytes, 0);
  return `${formatBytes(read)} / ${formatBytes(blockIo.reduce((sum, { writtenBytes }) => sum + writtenBytes, 0))}`;
}
