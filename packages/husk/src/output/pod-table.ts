import type { PodStatus } from "@husk/virtcontainers";
import { formatSpan } from "./age.ts";
import { renderTable } from "./table.ts";

const COLUMNS = [
  { title: "NAME" },
  { title: "STATUS" },
  { title: "CREATED" },
  { title: "VM PID", align: "right" },
  { title: "ACCEL" },
  { title: "COMMAND" },
] as const;

/** longest command shown, in characters */
const COMMAND_WIDTH = 40;

/** Renders pods as a table, the newest first. */
export function renderPods(pods: readonly PodStatus[], now: Date): string {
  const rows = newestFirst(pods).map((pod) => [
    pod.id,
    describeState(pod),
    `${formatSpan(now.getTime() - pod.createdAt.getTime())} ago`,
    pod.hypervisorPid?.toString() ?? "-",
    pod.accelerator ?? "-",
    describeCommand(pod),
  ]);
  return renderTable(COLUMNS, rows);
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
  const text = first.args.join(" ");
  const cut = text.length > COMMAND_WIDTH ? `${text.slice(0, COMMAND_WIDTH - 1)}…` : text;
  return more.length === 0 ? cut : `${cut} (+${more.length} more)`;
}
