import type { PodStatus } from "@husk/virtcontainers";
import { formatSpan } from "./age.ts";
import { renderInterfaces } from "./interface-table.ts";
import { describePorts } from "./port-text.ts";
import { oneLine, renderTable } from "./table.ts";

const COLUMNS = [
  { title: "CONTAINER" },
  { title: "STATUS" },
  { title: "STARTED" },
  { title: "ROOTFS" },
  { title: "COMMAND" },
] as const;

/** Renders all about a pod: lines of what it is, tables of its network interfaces and its containers. */
export function renderPodDetails(pod: PodStatus, now: Date): string {
  const ago = (date: Date) => `${formatSpan(now.getTime() - date.getTime())} ago`;
  const facts: [title: string, value: string][] = [
    ["Name", pod.id],
    ["Status", pod.state],
    ["Created", `${pod.createdAt.toISOString()} (${ago(pod.createdAt)})`],
    ["Hypervisor", describeHypervisor(pod)],
    ...machineFacts(pod),
    ["Agent", pod.agent],
    ...networkFacts(pod),
    ...Object.entries(pod.hypervisorConfig).map(([key, value]) => pair(key, value)),
    ...Object.entries(pod.annotations).map(([key, value]) => pair(key, value)),
  ];
  const width = Math.max(...facts.map(([title]) => title.length)) + 2;
  const lines = facts.map(([title, value]) => `${`${title}:`.padEnd(width)}${oneLine(value)}\n`);
  const rows = pod.containersStatus.map(({ id, state, exitCode, startTime, rootFs, args }) => [
    id,
    exitCode === undefined ? state : `${state} (${exitCode})`,
    startTime ? ago(startTime) : "-",
    rootFs,
    args.join(" "),
  ]);
  const interfaces = pod.network?.interfaces ?? [];
  const network = interfaces.length > 0 ? `${renderInterfaces(interfaces)}\n` : "";
  return `${lines.join("")}\n${network}${renderTable(COLUMNS, rows)}`;
}

function describeHypervisor({ hypervisor, hypervisorPid, accelerator }: PodStatus): string {
  if (hypervisorPid === undefined) return `${hypervisor}, not running`;
  return `${hypervisor}, process ${hypervisorPid}, ${accelerator ?? "no accelerator"}`;
}

function machineFacts({ vcpus, memory }: PodStatus): [title: string, value: string][] {
  return vcpus === undefined || memory === undefined ? [] : [["VM", `${vcpus} vCPUs, ${memory} MiB`]];
}

function networkFacts({ network }: PodStatus): [title: string, value: string][] {
  if (!network) return [];
  const { model, netNSPath, portMappings } = network;
  const place = netNSPath === undefined ? model : `${model}, in ${netNSPath}`;
  return [
    ["Network", place],
    ...(portMappings.length > 0 ? [["Ports", describePorts(portMappings)] as [string, string]] : []),
  ];
}

/** A field or annotation as it stands in the configuration. */
function pair(key: string, value: unknown): [title: string, value: string] {
  return [oneLine(key), typeof value === "string" ? value : JSON.stringify(value)];
}
