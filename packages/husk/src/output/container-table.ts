import type { ContainerInfo } from "@husk/container-module";
import { formatSpan } from "./age.ts";
import { type Column, oneLine, renderTable } from "./table.ts";

/** A column of the table, and what stands in it. */
interface ContainerColumn extends Column {
  readonly cell: (container: ContainerInfo, now: Date) => string;
}

/** longest command shown, in characters */
const TEXT_WIDTH = 40;

const COLUMNS: readonly ContainerColumn[] = [
  { title: "NAMESPACE", cell: ({ ours }) => ours.ns },
  { title: "NAME", cell: ({ name }) => name },
  { title: "STATUS", cell: describeState },
  { title: "RESTARTS", align: "right", cell: ({ ours }) => `${ours.restarts}` },
  { title: "PID", align: "right", cell: ({ ours }) => ours.pid?.toString() ?? "-" },
  { title: "CREATED", cell: ({ ours }, now) => describeAge(ours.createdAt, now) },
  { title: "COMMAND", cell: ({ ours }) => shorten(ours.args.join(" ")) || "-" },
];

/** Renders containers of the module as a table. */
export function renderContainers(containers: readonly ContainerInfo[], now: Date): string {
  return renderTable(
    COLUMNS,
    containers.map((container) => COLUMNS.map(({ cell }) => cell(container, now))),
  );
}

/** Renders all that is known of a container, a line for each. */
export function renderContainer(container: ContainerInfo, now: Date): string {
  const { name, flist, tags, network, mounts, ours } = container;
  const facts: [title: string, value: string | undefined][] = [
    ["Name", `${ours.ns}/${name}`],
    ["Status", describeState(container)],
    ["Reason", ours.reason],
    ["Restarts", `${ours.restarts}`],
    ["Process", ours.pid?.toString()],
    ["Command", ours.args.map(quoteWord).join(" ")],
    ["Root", flist],
    ["Network", network?.namespace ?? "its own, with loopback only"],
    ...mounts.map(({ source, target, type, options }): [string, string] => [
      "Mount",
      [source, target, type ?? "bind", options?.join(",")].filter(Boolean).join(":"),
    ]),
    ["Tags", tags.join(" ")],
    ["Backend", ours.backend],
    ["Log", ours.logPath],
    ["Created", `${ours.createdAt} (${describeAge(ours.createdAt, now)})`],
    ["Started", ours.startedAt],
    ["Ended", ours.exitedAt],
  ];
  const told = facts.filter((fact): fact is [string, string] => Boolean(fact[1]));
  const width = Math.max(...told.map(([title]) => title.length)) + 2;
  return told.map(([title, value]) => `${`${title}:`.padEnd(width)}${oneLine(value)}\n`).join("");
}

function describeState({ ours: { state, exitCode } }: ContainerInfo): string {
  return exitCode === undefined || state === "running" ? state : `${state} (${exitCode})`;
}

function describeAge(moment: string, now: Date): string {
  return `${formatSpan(now.getTime() - Date.parse(moment))} ago`;
}

function shorten(text: string): string {
  return text.length > TEXT_WIDTH ? `${text.slice(0, TEXT_WIDTH - 1)}…` : text;
}

/** A word as it could be typed. */
function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
