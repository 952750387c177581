import { readU32, writeU32 } from "../big-endian.ts";
import { PayloadError } from "../hyperstart/payload-error.ts";
import {
  integer,
  line,
  readBoolean,
  readObject,
  readPayload,
  required,
} from "../hyperstart/payload-reader.ts";
import { AttachDecoder } from "./decoder.ts";
import { type ExitRecord, encodeExitRecord, parseExitRecord } from "./exit-record.ts";
import { AttachType, encodeFrame, makeFrame } from "./frame.ts";
import { ATTACH_HEADER_BYTES, MAX_ATTACH_JSON_BYTES, MAX_ATTACH_OUTPUT_BYTES } from "./limits.ts";

/** What a shim says of itself to each client, first of all. */
export interface AttachHello {
  containerId: string;
  /** the process has a terminal */
  terminal: boolean;
  /** clients can give it input */
  interactive: boolean;
  /** bytes of each output that have been written by now */
  positions: { stdout: number; stderr: number };
}

/** What a shim tells a client. */
export type AttachEvent =
  | { kind: "hello"; hello: AttachHello }
  /** `offset`: position of the first byte in its stream, from 0 */
  | { kind: "output"; name: "stdout" | "stderr"; offset: number; data: Uint8Array }
  /** the last one */
  | { kind: "exit"; exit: ExitRecord };

const OFFSET_BYTES = 8;
const U32_RANGE = 2 ** 32;
const MAX_ID_BYTES = 256;

/** Decoder of what a shim sends. */
export class AttachEventDecoder extends AttachDecoder<AttachEvent> {
  constructor() {
    super(readEvent);
  }
}

function readEvent(type: number, payload: Uint8Array): AttachEvent {
  if (type === AttachType.STDOUT) return readOutput("stdout", payload);
  if (type === AttachType.STDERR) return readOutput("stderr", payload);
  if (type === AttachType.HELLO) return { kind: "hello", hello: readHello(payload) };
  if (type === AttachType.EXIT) return { kind: "exit", exit: parseExitRecord(payload) };
  throw new PayloadError("", `an event of type ${type}`);
}

function readOutput(name: "stdout" | "stderr", payload: Uint8Array): AttachEvent {
  if (payload.length < OFFSET_BYTES) throw new PayloadError("", `output of ${payload.length} bytes`);
  const offset = readU32(payload, 0) * U32_RANGE + readU32(payload, 4);
  if (!Number.isSafeInteger(offset)) throw new PayloadError("", "a position above 2^53 - 1");
  return { kind: "output", name, offset, data: payload.subarray(OFFSET_BYTES) };
}

function readHello(payload: Uint8Array): AttachHello {
  const object = readPayload(payload, MAX_ATTACH_JSON_BYTES);
  const positions = required(object, "", "positions", readObject);
  const position = integer(0, Number.MAX_SAFE_INTEGER);
  return {
    containerId: required(object, "", "containerId", line(MAX_ID_BYTES)),
    terminal: required(object, "", "terminal", readBoolean),
    interactive: required(object, "", "interactive", readBoolean),
    positions: {
      stdout: required(positions, "positions", "stdout", position),
      stderr: required(positions, "positions", "stderr", position),
    },
  };
}

/** Says what the shim is. */
export function encodeHello(hello: AttachHello): Uint8Array {
  return encodeFrame(AttachType.HELLO, new TextEncoder().encode(JSON.stringify(hello)));
}

/**
 * Gives output; `offset` is the position of its first byte in its stream.
 * @throws RangeError when there are more than MAX_ATTACH_OUTPUT_BYTES, or `offset` is no integer from 0 to 2^53 − 1.
 */
export function encodeOutput(name: "stdout" | "stderr", offset: number, data: Uint8Array): Uint8Array {
  if (data.length > MAX_ATTACH_OUTPUT_BYTES)
    throw new RangeError(`${data.length} bytes of output are too long for an attach frame`);
  if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`a position ${offset}`);
  const type = name === "stdout" ? AttachType.STDOUT : AttachType.STDERR;
  const frame = makeFrame(type, OFFSET_BYTES + data.length);
  writeU32(frame, ATTACH_HEADER_BYTES, Math.floor(offset / U32_RANGE));
  writeU32(frame, ATTACH_HEADER_BYTES + 4, offset >>> 0);
  frame.set(data, ATTACH_HEADER_BYTES + OFFSET_BYTES);
  return frame;
}

/** Tells how the process ended. */
export function encodeExit(exit: ExitRecord): Uint8Array {
  return encodeFrame(AttachType.EXIT, encodeExitRecord(exit));
}
