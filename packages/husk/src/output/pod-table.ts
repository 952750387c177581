import type { PodStatus } from "@husk/virtcontainers";
import { formatSpan } from "./age.ts";
import { describePorts } from "./port-text.ts";
import { type Column, renderTable } from "./table.ts";

/** A column of the table, and what stands in it. */
interface PodColumn extends Column {
  readonly cell: (pod: PodStatus, now: Date) => string;
}

const COLUMNS: readonly PodColumn[] = [
  { title: "NAME", cell: ({ id }) => id },
  { title: "STATUS", cell: describeState },
  {
    title: "CREATED",
    cell: ({ createdAt }, now) => `${formatSpan(now.getTime() - createdAt.getTime())} ago`,
  },
  { title: "VM PID", align: "right", cell: ({ hypervisorPid }) => hypervisorPid?.toString() ?? "-" },
  { title: "ACCEL", cell: ({ accelerator }) => accelerator ?? "-" },
];
const PORTS: PodColumn = {
  title: "PORTS",
  cell: ({ network }) => shorten(describePorts(network?.portMappings ?? [])) || "-",
};
const COMMAND: PodColumn = { title: "COMMAND", cell: describeCommand };

/** longest command or list of ports shown, in characters */
const TEXT_WIDTH = 40;

/** Renders pods as a table, the newest first. Ports have a column when any pod publishes some. */
export function renderPods(pods: readonly PodStatus[], now: Date): string {
  const hasPorts = pods.some(({ network }) => network?.portMappings.length);
  const columns = [...COLUMNS, ...(hasPorts ? [PORTS] : []), COMMAND];
  const rows = newestFirst(pods).map((pod) => columns.map(({ cell }) => cell(pod, now)));
  return renderTable(columns, rows);
}

/** The pods in the order in which they are shown. */
export function newestFirst(pods: readonly PodStatus[]): PodStatus[] {
  return pods.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || a.id.localeCompare(b.id));
}

function describeState(pod: PodStatus): string {
  const exitCode = pod.containersStatus.length === 1 ? pod.containersStatus[0]?.exitCode : undefined;
  return exitCode === undefined ? pod.state : `${pod.state} (${exitCode})`;
}

function describeCommand(pod: PodStatus): string {
  const [first, ...more] = pod.containersStatus;
  if (first === undefined) return "-";
  const cut = shorten(first.args.join(" "));
  return more.length === 0 ? cut : `${cut} (+${more.length} more)`;
}

function shorten(text: string): string {
  return text.length > TEXT_WIDTH ? `${text.slice(0, TEXT_WIDTH - 1)}…` : text;
}
