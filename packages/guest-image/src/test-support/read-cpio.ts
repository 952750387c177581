/** An entry as it was read back; a file's data is in hex, to compare well. */
export type ReadEntry = Record<string, string | number>;

const KINDS: Record<number, string> = { 4: "directory", 8: "file", 10: "symlink", 2: "device" };

/** Reads a newc archive the way the kernel does; the tests' own check of what the writer wrote. */
export function readCpio(archive: Uint8Array): ReadEntry[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const entries: ReadEntry[] = [];
  let offset = 0;
  for (;;) {
    const header = bytes.toString("latin1", offset, offset + 110);
    if (!header.startsWith("070701")) throw new Error(`no header at ${offset}`);
    const field = (index: number) => Number.parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
    const path = bytes.toString("utf8", offset + 110, offset + 110 + field(11) - 1);
    const start = align(offset + 110 + field(11));
    const data = bytes.subarray(start, start + field(6));
    offset = align(start + field(6));
    if (path === "TRAILER!!!") return entries;
    entries.push(describe(path, field(1), data, field(9), field(10)));
  }
}

function describe(path: string, fullMode: number, data: Buffer, major: number, minor: number): ReadEntry {
  const kind = KINDS[fullMode >> 12] ?? "unknown";
  const mode = fullMode & 0o7777;
  switch (kind) {
    case "file":
      return { path, kind, mode, data: data.toString("hex") };
    case "symlink":
      return { path, kind, target: data.toString("utf8") };
    case "device":
      return { path, kind, mode, major, minor };
    default:
      return { path, kind, mode };
  }
}

function align(offset: number): number {
  return Math.ceil(offset / 4) * 4;
}
