import type { EntryKind, Flist, FlistEntry } from "@husk/container-module";
import { formatBytes } from "./bytes.ts";
import { renderTable } from "./table.ts";

const LETTERS: Readonly<Record<EntryKind, string>> = {
  file: "-",
  directory: "d",
  symlink: "l",
  block: "b",
  character: "c",
  fifo: "p",
  socket: "s",
};

/** Renders what an flist has as `ls -l` would, and below it its stores and tags. */
export function renderFlist({ entries, routes, tags, totalBytes, blockCount }: Flist): string {
  const columns = [
    { title: "MODE" },
    { title: "OWNER" },
    { title: "SIZE", align: "right" },
    { title: "CHANGED" },
    { title: "NAME" },
  ] as const;
  const files = renderTable(
    columns,
    entries.map((entry) => [
      `${LETTERS[entry.kind]}${renderPermissions(entry.mode)}`,
      `${entry.uid}:${entry.gid}`,
      renderSize(entry),
      renderTime(entry.mtime),
      `/${entry.path}${entry.target ? ` -> ${entry.target}` : ""}`,
    ]),
  );
  const stores = renderTable(
    [{ title: "BLOCKS" }, { title: "STORE" }],
    routes.map(({ start, end, url }) => [`${hexByte(start)}-${hexByte(end)}`, url]),
  );
  const described = [...tags].map(([key, value]) => [key, value]);
  const tagTable =
    described.length === 0 ? "" : `\n${renderTable([{ title: "TAG" }, { title: "TEXT" }], described)}`;
  const total = `${entries.length} entries, ${formatBytes(totalBytes)} in ${blockCount} blocks\n`;
  return `${files}\n${stores}${tagTable}\n${total}`;
}

/** An flist as JSON has it. */
export function describeFlist({
  entries,
  routes,
  tags,
  totalBytes,
  blockCount,
}: Flist): Record<string, unknown> {
  const described = entries.map(({ path, kind, mode, uid, gid, size, mtime, device, target, blocks }) => ({
    path: `/${path}`,
    kind,
    mode: `0${mode.toString(8).padStart(3, "0")}`,
    uid,
    gid,
    size,
    mtime: renderTime(mtime),
    ...(device && { device }),
    ...(target && { target: target.toString() }),
    ...(kind === "file" && { blocks: blocks.length }),
  }));
  return { entries: described, routes, tags: Object.fromEntries(tags), totalBytes, blockCount };
}

/** `rwsr-xr-x`, as ls(1) has it. */
export function renderPermissions(mode: number): string {
  const letters = [..."rwxrwxrwx"].map((letter, index) => (mode & (0o400 >> index) ? letter : "-"));
  const special: [number, number, string, string][] = [
    [0o4000, 2, "s", "S"],
    [0o2000, 5, "s", "S"],
    [0o1000, 8, "t", "T"],
  ];
  for (const [bit, at, executable, other] of special) {
    if (mode & bit) letters[at] = letters[at] === "x" ? executable : other;
  }
  return letters.join("");
}

function renderSize({ kind, size, device }: FlistEntry): string {
  if (device) return `${device.major}, ${device.minor}`;
  return kind === "file" ? String(size) : "";
}

function renderTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}
