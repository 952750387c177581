import type { FieldKind } from "./message-type.ts";

/** How the bytes behind a tag are to be read: the tag's lowest three bits. Groups (3 and 4) are not of proto3. */
export const WireType = { VARINT: 0, FIXED64: 1, LENGTH: 2, FIXED32: 5 } as const;

/** Largest number of a field. */
export const MAX_FIELD_NUMBER = 2 ** 29 - 1;

/** Longest varint in bytes: 64 bits in groups of seven. */
export const MAX_VARINT_BYTES = 10;

/** The wire type of a value that is not in a packed list. */
export function wireTypeOf(kind: FieldKind): number {
  return kind === "s" || kind === "b" || kind === "m" ? WireType.LENGTH : WireType.VARINT;
}
