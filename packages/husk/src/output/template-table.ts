import type { TemplateStatus } from "@husk/virtcontainers";
import { formatSpan } from "./age.ts";
import { type Column, renderTable } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "TEMPLATE" },
  { title: "AGENT" },
  { title: "CPUS", align: "right" },
  { title: "MEMORY", align: "right" },
  { title: "AGE" },
];
/** digits of a key that tell templates apart for people */
const SHORT_KEY = 12;

/** Renders templates as a table. */
export function renderTemplates(templates: readonly TemplateStatus[], now: Date): string {
  const rows = templates.map(({ key, agent, vcpus, memory, createdAt }) => [
    key.slice(0, SHORT_KEY),
    agent,
    String(vcpus),
    `${memory} MiB`,
    formatSpan(now.getTime() - createdAt.getTime()),
  ]);
  return renderTable(COLUMNS, rows);
}
