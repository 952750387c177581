import type { CachedVmStatus, VmCacheStatus } from "@husk/virtcontainers";
import { formatSpan } from "./age.ts";
import { type Column, oneLine, renderTable } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "PID", align: "right" },
  { title: "TIER" },
  { title: "STATE" },
  { title: "CPUS", align: "right" },
  { title: "MEMORY", align: "right" },
  { title: "AGE" },
];

/** Renders what a cache has: a line about its server, its VMs as a table, and what went wrong last. */
export function renderCache(status: VmCacheStatus, now: Date): string {
  const { pid, startedAt, vms, claimed, lost, refused, fault, failures } = status;
  const { ready, wanted } = countReady(status);
  const age = formatSpan(now.getTime() - startedAt.getTime());
  const past = [`${claimed} taken`];
  if (lost > 0) past.push(`${lost} lost`);
  if (refused > 0) past.push(`${refused} refused to other programs`);
  const lines = [`server ${pid}, up for ${age}: ${ready} of ${wanted} VMs ready, ${past.join(", ")}\n`];
  if (vms.length > 0) {
    const rows = vms.map((vm) => row(vm, now));
    lines.push(renderTable(COLUMNS, rows));
  }
  if (fault) lines.push(`last fault (${failures} in a row): ${oneLine(fault)}\n`);
  return lines.join("");
}

/** How many VMs nobody has been given, and how many there should be. */
export function countReady({ vms, wanted }: VmCacheStatus): { ready: number; wanted: number } {
  const numbers = Object.values(wanted);
  return {
    ready: vms.filter(({ leased }) => !leased).length,
    wanted: numbers.reduce((sum, number) => sum + number, 0),
  };
}

function row(vm: CachedVmStatus, now: Date): string[] {
  const { pid, tier, vcpus, memory, readyAt } = vm;
  const age = formatSpan(now.getTime() - readyAt.getTime());
  return [String(pid), tier, stateOf(vm), String(vcpus), `${memory} MiB`, age];
}

function stateOf({ leased, foreign }: CachedVmStatus): string {
  if (!leased) return "ready";
  return foreign ? "with another program" : "handed out";
}
