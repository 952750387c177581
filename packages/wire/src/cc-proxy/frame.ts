import { readU32, writeU32 } from "../big-endian.ts";
import { FrameError } from "../hyperstart/frame-error.ts";
import { FrameSplitter } from "../hyperstart/frame-splitter.ts";
import { FrameType, HIGHEST_OPCODE } from "./frame-kinds.ts";
import {
  FRAME_HEADER_BYTES,
  MAX_COMMAND_BYTES,
  MAX_FRAME_HEADER_BYTES,
  MAX_NOTIFICATION_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_STREAM_BYTES,
  PROTOCOL_VERSION,
} from "./limits.ts";

const HEADER_WORDS = FRAME_HEADER_BYTES / 4;
const TYPE_MASK = 0x0f;
const ERROR_FLAG = 0x10;

/** Longest payload of each {@link FrameType}, in bytes. */
const MAX_PAYLOAD_BYTES: readonly number[] = [
  MAX_COMMAND_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_STREAM_BYTES,
  MAX_NOTIFICATION_BYTES,
];

/** Who reads: what the other side may send depends on it. */
export type ProxySide = "proxy" | "client";

const SENT_TO: Readonly<Record<ProxySide, readonly number[]>> = {
  proxy: [FrameType.COMMAND, FrameType.STREAM],
  client: [FrameType.RESPONSE, FrameType.STREAM, FrameType.NOTIFICATION],
};

/** One frame between a proxy and a client. */
export interface ProxyFrame {
  readonly type: FrameType;
  /** ProxyCommand, ProxyStream or ProxyNotification, by the type; always a known one */
  readonly opcode: number;
  /** a response that says what went wrong, see `parseErrorResponse` */
  readonly isError: boolean;
  /** a view of the pushed chunk where the frame lies inside one: use or copy it before that memory is reused */
  readonly payload: Uint8Array;
}

/**
 * Decoder of cc-proxy's protocol, version 2, for either side.
 *
 * Wire layout, big endian: u16 version, u8 header length in words of 4 bytes (3, or more, of which the rest is skipped),
 * 3 bytes 0, u8 type in the low 4 bits and 0x10 for an error, u8 opcode, u32 payload length, payload.
 */
export class ProxyDecoder {
  readonly #splitter: FrameSplitter<ProxyFrame>;

  /** `side`: who reads */
  constructor(side: ProxySide) {
    const types = SENT_TO[side];
    const shape = {
      headerBytes: FRAME_HEADER_BYTES,
      // The bound of each type is checked with the header.
      maxFrameBytes: MAX_FRAME_HEADER_BYTES + Math.max(MAX_COMMAND_BYTES, MAX_RESPONSE_BYTES),
      readLength: (bytes: Uint8Array, start: number) => readLength(bytes, start, types),
    };
    this.#splitter = new FrameSplitter(shape, decodeFrame);
  }

  /** bytes held of a frame that is not complete yet */
  get pendingBytes(): number {
    return this.#splitter.pendingBytes;
  }

  /**
   * Takes the next bytes, in pieces of any size, and gives the frames they complete.
   * @throws FrameError ERR_FRAME_HEADER, ERR_FRAME_LENGTH; its `frames` are the complete ones before the bad one. Then
   *   ERR_FRAME_STOPPED at every push.
   */
  push(chunk: Uint8Array): ProxyFrame[] {
    return this.#splitter.push(chunk);
  }
}

function readLength(bytes: Uint8Array, start: number, types: readonly number[]): number {
  const version = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
  if (version !== PROTOCOL_VERSION) throw headerError(`version ${version} instead of ${PROTOCOL_VERSION}`);
  const words = bytes[start + 2] ?? 0;
  if (words < HEADER_WORDS) throw headerError(`a header of ${words * 4} bytes`);
  const kind = bytes[start + 6] ?? 0;
  const type = kind & TYPE_MASK;
  if (!types.includes(type)) throw headerError(`type ${type}, which is not its sender's to send`);
  const opcode = bytes[start + 7] ?? 0;
  if (opcode > (HIGHEST_OPCODE[type] ?? -1)) throw headerError(`opcode ${opcode} of type ${type}`);
  const payloadBytes = readU32(bytes, start + 8);
  const most = MAX_PAYLOAD_BYTES[type] ?? 0;
  if (payloadBytes > most)
    throw new FrameError("ERR_FRAME_LENGTH", `a frame claims ${payloadBytes} bytes, above ${most}`);
  return words * 4 + payloadBytes;
}

function headerError(problem: string): FrameError {
  return new FrameError("ERR_FRAME_HEADER", `a frame has ${problem}`);
}

function decodeFrame(bytes: Uint8Array, start: number, end: number): ProxyFrame {
  const kind = bytes[start + 6] ?? 0;
  const type = (kind & TYPE_MASK) as FrameType;
  return {
    type,
    opcode: bytes[start + 7] ?? 0,
    isError: type === FrameType.RESPONSE && (kind & ERROR_FLAG) !== 0,
    payload: bytes.subarray(start + (bytes[start + 2] ?? 0) * 4, end),
  };
}

/** What a frame to be written is. */
export interface ProxyFrameKind {
  readonly type: FrameType;
  readonly opcode: number;
  readonly isError?: boolean;
}

/** Encodes one frame. Text goes out as UTF-8. @throws RangeError when the payload is longer than its type may be */
export function encodeProxyFrame(kind: ProxyFrameKind, payload?: Uint8Array | string): Uint8Array {
  const body = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const frame = new Uint8Array(FRAME_HEADER_BYTES + (body?.length ?? 0));
  writeProxyHeader(frame, kind, body?.length ?? 0);
  if (body) frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

/**
 * Writes a frame's 12-byte header at an offset of a buffer, for a payload that stands behind it.
 * @throws RangeError when the payload is longer than its type may be, or the header does not fit into `target`
 */
export function writeProxyHeader(
  target: Uint8Array,
  { type, opcode, isError = false }: ProxyFrameKind,
  payloadBytes: number,
  offset = 0,
): void {
  const most = MAX_PAYLOAD_BYTES[type] ?? 0;
  if (payloadBytes > most) throw new RangeError(`a payload of ${payloadBytes} bytes, above ${most}`);
  if (!(offset >= 0 && offset + FRAME_HEADER_BYTES <= target.length)) {
    throw new RangeError("no room for a header at this offset");
  }
  writeU32(target, offset, PROTOCOL_VERSION * 0x10000 + HEADER_WORDS * 0x100);
  writeU32(target, offset + 4, ((type | (isError ? ERROR_FLAG : 0)) << 8) | opcode);
  writeU32(target, offset + 8, payloadBytes);
}
