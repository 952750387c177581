import type { EntryKind } from "./flist.ts";

/** Bits of `st_mode` that tell what it is. */
const S_IFMT = 0o170000;
/** The other bits of `st_mode`. */
export const PERMISSIONS = 0o7777;

const KIND_BITS: Readonly<Record<EntryKind, number>> = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
};
const KINDS = new Map(Object.entries(KIND_BITS).map(([kind, bits]) => [bits, kind as EntryKind]));

/** What a file is whose `st_mode` this is. */
export function kindOfMode(mode: number): EntryKind | undefined {
  return KINDS.get(mode & S_IFMT);
}

/** The `st_mode` of a file. */
export function modeOf(kind: EntryKind, permissions: number): number {
  return KIND_BITS[kind] | permissions;
}

/** Takes a device's number apart, as Linux puts it together in `st_rdev`. */
export function splitDevice(rdev: number): { major: number; minor: number } {
  const value = BigInt(rdev);
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n);
  const minor = (value & 0xffn) | ((value >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
