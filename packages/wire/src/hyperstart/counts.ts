import { readU32, writeU32 } from "../big-endian.ts";
import { Command } from "./commands.ts";
import { encodeControl } from "./control-frame.ts";

import { MAX_U32 } from "./limits.ts";
import { PayloadError } from "./payload-error.ts";

/**
 * A whole NEXT frame, as that is all its payload is good for: the number of control bytes just consumed, u32 big
 * endian. The values of all NEXT frames add up to the bytes the host has sent.
 * @throws RangeError when it is no u32.
 */
export function encodeNext(bytes: number): Uint8Array {
  return encodeControl(Command.NEXT, encodeCount(bytes));
}

/** Bytes acknowledged by a NEXT frame's payload. @throws PayloadError when it is not 4 bytes long. */
export function decodeNext(payload: Uint8Array): number {
  return decodeCount(payload, "NEXT");
}

/** Payload for the ACK to GETVERSION, without the frame: the API number, u32 big endian. @throws RangeError when it is no u32. */
export function encodeVersion(version: number): Uint8Array {
  return encodeCount(version);
}

/** API number in the ACK to GETVERSION. @throws PayloadError when it is not 4 bytes long. */
export function decodeVersion(payload: Uint8Array): number {
  return decodeCount(payload, "GETVERSION");
}

function encodeCount(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > MAX_U32) {
    throw new RangeError("the value must be an unsigned 32-bit number");
  }
  const payload = new Uint8Array(4);
  writeU32(payload, 0, value);
  return payload;
}

function decodeCount(payload: Uint8Array, command: string): number {
  if (payload.length !== 4) {
    throw new PayloadError("", `${command} must carry 4 bytes, not ${payload.length}`);
  }
  return readU32(payload, 0);
}
