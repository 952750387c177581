import { readU32, writeU32 } from "../big-endian.ts";
import { HEADER_BYTES } from "./limits.ts";

/** The only version there is. */
export const VERSION = 0;

/** What a frame is. */
export const FrameType = {
  /** data of a stream; the length counts them */
  DATA: 0,
  /** the length is what the stream's window grows by, in bytes */
  WINDOW_UPDATE: 1,
  /** the length is a number that comes back */
  PING: 2,
  /** the length is a {@link GoAway} */
  GO_AWAY: 3,
} as const;

/** What a frame says beside its content. */
export const Flag = {
  /** begins a stream; of a ping: the question */
  SYN: 1,
  /** accepts a stream; of a ping: the answer */
  ACK: 2,
  /** the sender sends no more data on this stream */
  FIN: 4,
  /** ends a stream at once, both ways; refuses one that begins */
  RST: 8,
} as const;

/** Why a side opens and takes no more streams. All but NORMAL end the session at once. */
export const GoAway = { NORMAL: 0, PROTOCOL_ERROR: 1, INTERNAL_ERROR: 2 } as const;

/** A frame without its data. */
export interface FrameHeader {
  version: number;
  /** {@link FrameType}, maybe unknown */
  type: number;
  /** bits of {@link Flag}, maybe unknown ones */
  flags: number;
  /** odd when the client opened the stream, even when the server did; 0 is the session */
  streamId: number;
  /** meaning by the type */
  length: number;
}

/**
 * The header at an offset.
 *
 * Wire layout: u8 version, u8 type, u16 flags, u32 stream, u32 length; all big endian.
 */
export function decodeHeader(bytes: Uint8Array, offset = 0): FrameHeader {
  return {
    version: bytes[offset] ?? 0,
    type: bytes[offset + 1] ?? 0,
    flags: ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0),
    streamId: readU32(bytes, offset + 4),
    length: readU32(bytes, offset + 8),
  };
}

/** A frame's header, and room for `dataBytes` of data behind it. */
export function encodeHeader(
  { type, flags, streamId, length }: Omit<FrameHeader, "version">,
  dataBytes = 0,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + dataBytes);
  bytes[0] = VERSION;
  bytes[1] = type;
  bytes[2] = flags >>> 8;
  bytes[3] = flags;
  writeU32(bytes, 4, streamId);
  writeU32(bytes, 8, length);
  return bytes;
}
