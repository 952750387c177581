import { printable } from "./printable.ts";

/** A column of a table. */
export interface Column {
  /** heading */
  readonly title: string;
  /** numbers stand at the right; default: left */
  readonly align?: "left" | "right";
}

/** Renders rows of text below their headings, two spaces between columns, one line per row. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map((column) => column.title), ...rows].map((cells) => cells.map(oneLine));
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => cells[index]?.length ?? 0)));
  return lines.map((cells) => `${cells.map(pad).join("  ").trimEnd()}\n`).join("");

  function pad(cell: string, index: number): string {
    const width = widths[index] ?? 0;
    return columns[index]?.align === "right" ? cell.padStart(width) : cell.padEnd(width);
  }
}

/** Text for one line: without line breaks and what steers a terminal. */
export function oneLine(cell: string): string {
  return printable(cell).replaceAll(/[\n\t]+/g, " ");
}
