/** One entry of an archive. Its path has no leading slash; parents stand before their children. */
export type CpioEntry =
  | { path: string; kind: "directory"; mode: number }
  | { path: string; kind: "file"; mode: number; data: Uint8Array }
  | { path: string; kind: "symlink"; target: string }
  | { path: string; kind: "device"; mode: number; major: number; minor: number };

const MAGIC = "070701";
const HEADER_SIZE = 110;
const TRAILER = "TRAILER!!!";
const TYPE_BITS = { directory: 0o040000, file: 0o100000, symlink: 0o120000, device: 0o020000 } as const;
const MAX_PATH = 4095;

/**
 * Writes an archive in the "newc" form of cpio, the one that the kernel unpacks as its initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst in its source). Everything belongs to root, was
 * made at time 0 and has its number in the archive as inode, and the entries are sorted by path: the same
 * entries always give the same bytes.
 *
 * @throws Error for a path that is absolute, empty, climbs with "..", is given twice, or whose parent is
 *   missing
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const sorted = [...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
  checkPaths(sorted);
  const parts = sorted.flatMap((entry, index) => encodeEntry(entry, index + 1));
  return Buffer.concat([...parts, ...encode(TRAILER, { inode: 0, mode: 0, links: 1 }, new Uint8Array())]);
}

function checkPaths(entries: readonly CpioEntry[]): void {
  const directories = new Set([""]);
  const seen = new Set<string>();
  for (const { path, kind } of entries) {
    const parts = path.split("/");
    if (path.length > MAX_PATH || path === TRAILER || parts.some((part) => ["", ".", ".."].includes(part))) {
      throw new Error(`not a path for an archive: ${JSON.stringify(path)}`);
    }
    if (path.includes("\0")) throw new Error(`NUL in an archive's path: ${JSON.stringify(path)}`);
    if (seen.has(path)) throw new Error(`path given twice: ${path}`);
    if (!directories.has(parts.slice(0, -1).join("/"))) throw new Error(`no directory for ${path}`);
    seen.add(path);
    if (kind === "directory") directories.add(path);
  }
}

interface Fields {
  inode: number;
  mode: number;
  links: number;
  major?: number;
  minor?: number;
}

function encodeEntry(entry: CpioEntry, inode: number): Uint8Array[] {
  const type = TYPE_BITS[entry.kind];
  switch (entry.kind) {
    case "directory":
      return encode(entry.path, { inode, mode: type | entry.mode, links: 2 }, new Uint8Array());
    case "file":
      return encode(entry.path, { inode, mode: type | entry.mode, links: 1 }, entry.data);
    case "symlink":
      return encode(entry.path, { inode, mode: type | 0o777, links: 1 }, Buffer.from(entry.target));
    case "device": {
      const { major, minor } = entry;
      return encode(entry.path, { inode, mode: type | entry.mode, links: 1, major, minor }, new Uint8Array());
    }
  }
}

function encode(path: string, fields: Fields, data: Uint8Array): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const numbers = [
    fields.inode,
    fields.mode,
    0, // user
    0, // group
    fields.links,
    0, // time of change
    data.length,
    0, // device that holds the file
    0,
    fields.major ?? 0,
    fields.minor ?? 0,
    name.length,
    0, // checksum, unused in this form
  ];
  const header = MAGIC + numbers.map((number) => number.toString(16).padStart(8, "0")).join("");
  return [Buffer.from(header), name, padding(HEADER_SIZE + name.length), data, padding(data.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
