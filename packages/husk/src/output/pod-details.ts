import type { ContainerStatus, PodStatus } from "@husk/virtcontainers";
import { formatSpan } from "./age.ts";
import { renderInterfaces } from "./interface-table.ts";
import { describePorts } from "./port-text.ts";
import { type Column, oneLine, renderTable } from "./table.ts";

/** A column of the table of containers, and what stands in it. */
interface ContainerColumn extends Column {
  readonly cell: (container: ContainerStatus, now: Date) => string;
}

const COLUMNS: readonly ContainerColumn[] = [
  { title: "CONTAINER", cell: ({ id }) => id },
  {
    title: "STATUS",
    cell: ({ state, exitCode }) => (exitCode === undefined ? state : `${state} (${exitCode})`),
  },
  { title: "STARTED", cell: ({ startTime }, now) => (startTime ? describeAge(startTime, now) : "-") },
  { title: "ROOTFS", cell: ({ rootFs }) => rootFs },
  { title: "COMMAND", cell: ({ args }) => args.join(" ") },
];
const SHIM: ContainerColumn = {
  title: "SHIM PID",
  align: "right",
  cell: ({ pid }) => (pid > 0 ? `${pid}` : "-"),
};
const LOG: ContainerColumn = { title: "LOG", cell: ({ logPath }) => logPath ?? "-" };

/** Renders all about a pod: lines of what it is, tables of its network interfaces and its containers. */
export function renderPodDetails(pod: PodStatus, now: Date): string {
  const facts: [title: string, value: string][] = [
    ["Name", pod.id],
    ["Status", pod.state],
    ["Created", `${pod.createdAt.toISOString()} (${describeAge(pod.createdAt, now)})`],
    ["Hypervisor", describeHypervisor(pod)],
    ...machineFacts(pod),
    ["Agent", pod.agent],
    ...proxyFacts(pod),
    ...networkFacts(pod),
    ...Object.entries(pod.hypervisorConfig).map(([key, value]) => pair(key, value)),
    ...Object.entries(pod.annotations).map(([key, value]) => pair(key, value)),
  ];
  const width = Math.max(...facts.map(([title]) => title.length)) + 2;
  const lines = facts.map(([title, value]) => `${`${title}:`.padEnd(width)}${oneLine(value)}\n`);
  const interfaces = pod.network?.interfaces ?? [];
  const network = interfaces.length > 0 ? `${renderInterfaces(interfaces)}\n` : "";
  return `${lines.join("")}\n${network}${renderContainers(pod.containersStatus, now)}`;
}

/** Shims and logs have columns when there are any. */
function renderContainers(containers: readonly ContainerStatus[], now: Date): string {
  const hasShim = containers.some(({ pid }) => pid > 0);
  const hasLog = containers.some(({ logPath }) => logPath !== undefined);
  const columns = [...COLUMNS, ...(hasShim ? [SHIM] : []), ...(hasLog ? [LOG] : [])];
  const rows = containers.map((container) => columns.map(({ cell }) => cell(container, now)));
  return renderTable(columns, rows);
}

function describeAge(date: Date, now: Date): string {
  return `${formatSpan(now.getTime() - date.getTime())} ago`;
}

function describeHypervisor({ hypervisor, hypervisorPid, accelerator }: PodStatus): string {
  if (hypervisorPid === undefined) return `${hypervisor}, not running`;
  return `${hypervisor}, process ${hypervisorPid}, ${accelerator ?? "no accelerator"}`;
}

function machineFacts({ vcpus, memory }: PodStatus): [title: string, value: string][] {
  return vcpus === undefined || memory === undefined ? [] : [["VM", `${vcpus} vCPUs, ${memory} MiB`]];
}

function proxyFacts({ proxyPid }: PodStatus): [title: string, value: string][] {
  return proxyPid === undefined ? [] : [["Proxy", `process ${proxyPid}`]];
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
