import { writeU32 } from "../big-endian.ts";
import { ATTACH_HEADER_BYTES, MAX_ATTACH_PAYLOAD_BYTES } from "./limits.ts";

/** What a frame is. Those below 16 go to the shim, the others to its client. */
export const AttachType = {
  SUBSCRIBE: 1,
  STDIN: 2,
  RESIZE: 3,
  SIGNAL: 4,
  HELLO: 16,
  STDOUT: 17,
  STDERR: 18,
  EXIT: 19,
} as const;

/**
 * A frame with room for a payload: `ATTACH_HEADER_BYTES` of header, then zeros.
 * @throws RangeError when the payload is longer than MAX_ATTACH_PAYLOAD_BYTES.
 */
export function makeFrame(type: number, payloadBytes: number): Uint8Array {
  if (payloadBytes > MAX_ATTACH_PAYLOAD_BYTES)
    throw new RangeError(`${payloadBytes} bytes are too long for an attach frame`);
  const frame = new Uint8Array(ATTACH_HEADER_BYTES + payloadBytes);
  frame[0] = type;
  writeU32(frame, 4, payloadBytes);
  return frame;
}

/** A frame around a payload. @throws RangeError as {@link makeFrame} does. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  const frame = makeFrame(type, payload.length);
  frame.set(payload, ATTACH_HEADER_BYTES);
  return frame;
}
