import { readU32, writeU32 } from "../big-endian.ts";
import { HEADER_BYTES } from "./limits.ts";

/** What a message is. */
export const MessageType = { REQUEST: 1, RESPONSE: 2, DATA: 3 } as const;

/** Flags of a request or of data; none of them is for unary calls. */
export const MessageFlag = {
  /** the sender sends no more data */
  REMOTE_CLOSED: 1,
  /** data follow */
  REMOTE_OPEN: 2,
  /** there are no data in this message */
  NO_DATA: 4,
} as const;

/** What stands before a message. */
export interface TtrpcHeader {
  /** odd, chosen by the client, each larger than the one before */
  streamId: number;
  /** {@link MessageType}, maybe unknown */
  type: number;
  /** bits of {@link MessageFlag}, maybe unknown ones */
  flags: number;
  /** bytes of data behind the header */
  length: number;
}

/** One message. */
export interface TtrpcFrame extends TtrpcHeader {
  /** the message's own memory; undefined when it was too long, and dropped */
  data: Uint8Array | undefined;
}

/**
 * The header at an offset.
 *
 * Wire layout: u32 length without these 10 bytes, u32 stream, u8 type, u8 flags; all big endian.
 */
export function decodeHeader(bytes: Uint8Array, offset: number): TtrpcHeader {
  return {
    length: readU32(bytes, offset),
    streamId: readU32(bytes, offset + 4),
    type: bytes[offset + 8] ?? 0,
    flags: bytes[offset + 9] ?? 0,
  };
}

/**
 * Writes a header in front of the data, for which `frame` has {@link HEADER_BYTES} of room.
 *
 * @param tailBytes bytes of data that come behind the frame
 */
export function writeHeader(frame: Uint8Array, type: number, streamId: number, tailBytes = 0): Uint8Array {
  writeU32(frame, 0, frame.length - HEADER_BYTES + tailBytes);
  writeU32(frame, 4, streamId);
  frame[8] = type;
  frame[9] = 0;
  return frame;
}
