import type { CachedVmStatus, VmCacheStatus } from "@husk/virtcontainers";
import { formatSpan } from "./age.ts";
import { type Column, oneLine, renderTable } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "VM" },
  { title: "TIER" },
  { title: "STATE" },
  { title: "PID", align: "right" },
  { title: "CPUS", align: "right" },
  { title: "MEMORY", align: "right" },
  { title: "AGE" },
];

/** Renders what a cache's server tells: a line about itself, its VMs as a table, and what went wrong last. */
export function renderCache(status: VmCacheStatus, now: Date): string {
  const { pid, endpoint, wanted, vms, fault } = status;
  const ready = vms.filter(({ state }) => state === "ready").length;
  const lines = [`server ${pid} at ${oneLine(endpoint)}: ${ready} of ${sum(wanted)} VMs ready\n`];
  if (vms.length > 0) lines.push(renderTable(COLUMNS, vms.map((vm) => row(vm, now))));
  if (fault) lines.push(`last fault: ${oneLine(fault)}\n`);
  return lines.join("");
}

/** VMs that a server is to have ready. */
export function sum(wanted: VmCacheStatus["wanted"]): number {
  return Object.values(wanted).reduce((total, number) => total + number, 0);
}

function row({ id, tier, state, pid, vcpus, memory, createdAt }: CachedVmStatus, now: Date): string[] {
  const age = formatSpan(now.getTime() - createdAt.getTime());
  return [id, tier, state, String(pid), String(vcpus), `${memory} MiB`, age];
}
