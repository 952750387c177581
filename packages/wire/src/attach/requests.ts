import { readU32, writeU32 } from "../big-endian.ts";
import { PayloadError } from "../hyperstart/payload-error.ts";
import { AttachDecoder } from "./decoder.ts";
import { AttachType, encodeFrame, makeFrame } from "./frame.ts";
import { ATTACH_HEADER_BYTES } from "./limits.ts";

/** What a client asks of a shim. */
export type AttachRequest =
  /** output from now on, or none any more */
  | { kind: "subscribe"; output: boolean }
  /** input of the process; none: its end */
  | { kind: "stdin"; data: Uint8Array }
  /** size of the terminal in characters */
  | { kind: "resize"; rows: number; columns: number }
  /** a signal, by the kernel's number */
  | { kind: "signal"; signal: number };

/** Bit of a subscription that asks for output. */
const OUTPUT_BIT = 1;
/** Largest number of a signal. */
const MAX_SIGNAL = 64;
const MAX_U16 = 0xffff;

/** Decoder of what clients send. */
export class AttachRequestDecoder extends AttachDecoder<AttachRequest> {
  constructor() {
    super(readRequest);
  }
}

function readRequest(type: number, payload: Uint8Array): AttachRequest {
  if (type === AttachType.STDIN) return { kind: "stdin", data: payload };
  if (type === AttachType.SUBSCRIBE) {
    checkLength("subscribe", payload, 1);
    return { kind: "subscribe", output: ((payload[0] ?? 0) & OUTPUT_BIT) !== 0 };
  }
  if (type === AttachType.RESIZE) {
    checkLength("resize", payload, 4);
    const both = readU32(payload, 0);
    return { kind: "resize", rows: both >>> 16, columns: both & MAX_U16 };
  }
  if (type !== AttachType.SIGNAL) throw new PayloadError("", `a request of type ${type}`);
  checkLength("signal", payload, 4);
  const signal = readU32(payload, 0);
  if (signal < 1 || signal > MAX_SIGNAL) throw new PayloadError("", `there is no signal ${signal}`);
  return { kind: "signal", signal };
}

function checkLength(what: string, payload: Uint8Array, bytes: number): void {
  if (payload.length !== bytes)
    throw new PayloadError("", `${what} with ${payload.length} bytes, not ${bytes}`);
}

/** Asks for output from now on, or for none any more. */
export function encodeSubscribe(output: boolean): Uint8Array {
  return encodeFrame(AttachType.SUBSCRIBE, Uint8Array.of(output ? OUTPUT_BIT : 0));
}

/**
 * Gives input; without data, its end.
 * @throws RangeError when there are more than MAX_ATTACH_PAYLOAD_BYTES.
 */
export function encodeStdin(data?: Uint8Array): Uint8Array {
  return data ? encodeFrame(AttachType.STDIN, data) : makeFrame(AttachType.STDIN, 0);
}

/** Tells the size of the terminal in characters. @throws RangeError when it is no u16 */
export function encodeResize(rows: number, columns: number): Uint8Array {
  for (const length of [rows, columns]) {
    if (!Number.isInteger(length) || length < 0 || length > MAX_U16)
      throw new RangeError(`a terminal of ${rows} by ${columns} characters`);
  }
  const frame = makeFrame(AttachType.RESIZE, 4);
  writeU32(frame, ATTACH_HEADER_BYTES, rows * (MAX_U16 + 1) + columns);
  return frame;
}

/** Asks for a signal. @throws RangeError when no signal has that number */
export function encodeSignal(signal: number): Uint8Array {
  if (!Number.isInteger(signal) || signal < 1 || signal > MAX_SIGNAL)
    throw new RangeError(`there is no signal ${signal}`);
  const frame = makeFrame(AttachType.SIGNAL, 4);
  writeU32(frame, ATTACH_HEADER_BYTES, signal);
  return frame;
}
