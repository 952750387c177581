import { readU32, writeU32 } from "../big-endian.ts";
import { MAX_SIGNAL } from "../hyperstart/limits.ts";
import { PayloadError } from "../hyperstart/payload-error.ts";
import type { Reader } from "../hyperstart/payload-reader.ts";
import {
  integer,
  oneOf,
  optional,
  optionalText,
  readBoolean,
  readObject,
  readPayload,
  required,
  text,
  withDefault,
} from "../hyperstart/payload-reader.ts";
import { MAX_COMMAND_BYTES, MAX_RESPONSE_BYTES, MAX_STREAM_BYTES, MAX_TEXT_BYTES } from "./limits.ts";
import { readToken } from "./token.ts";

/** Bytes of each output of a process, from its begin. */
export interface StreamPositions {
  stdout: number;
  stderr: number;
}

/**
 * Payload of ConnectShim: `{"token": string}`, and husk's own `{"received"?: {"stdout": u53, "stderr": u53},
 * "transient"?: bool}`.
 */
export interface ConnectShim {
  /** token of the process that this connection is to carry */
  token: string;
  /**
   * what is safely there already of its outputs. With it, the shim acknowledges what it has written (ProxyStream.ACKNOWLEDGE),
   * what it has not is kept for the next shim, and the response has a payload, {@link encodeConnectShimResponse}
   */
  received?: StreamPositions;
  /** nobody comes in this shim's place: for one that has gone the guest's output is not to wait */
  transient?: boolean;
}

/** Payload of Signal: `{"signalNumber": int, "columns"?: int, "rows"?: int}`. */
export interface ShimSignal {
  /** the kernel's number */
  signalNumber: number;
  /** new width of the terminal in characters; with SIGWINCH and only with it, 0 otherwise */
  columns: number;
  /** new height of the terminal in characters, likewise */
  rows: number;
}

/** Payload of a log frame: `{"source": string, "containerId"?: string, "level": string, "msg": string}`. */
export interface LogEntry {
  /** who speaks */
  source: "shim" | "runtime";
  /** container that it is about */
  containerId?: string;
  level: "debug" | "info" | "warn" | "error";
  /** what it says */
  msg: string;
}

/** Signal of a new size of the terminal: the kernel's number. */
export const SIGWINCH = 28;

/** Bytes of an acknowledgement: u64 of stdout, u64 of stderr, both big endian. */
const ACKNOWLEDGE_BYTES = 16;
const U32_RANGE = 2 ** 32;

const readPosition = integer(0, Number.MAX_SAFE_INTEGER);
const readSide = integer(0, 0xffff);

const readPositions: Reader<StreamPositions> = (value, path) => {
  const from = readObject(value, path);
  return {
    stdout: required(from, path, "stdout", readPosition),
    stderr: required(from, path, "stderr", readPosition),
  };
};

/** The payload of ConnectShim. @throws PayloadError */
export function parseConnectShim(payload: Uint8Array): ConnectShim {
  const from = readPayload(payload, MAX_COMMAND_BYTES);
  return {
    token: required(from, "", "token", readToken),
    ...optional(from, "", "received", readPositions),
    ...optional(from, "", "transient", readBoolean),
  };
}

/** The payload of the response to a ConnectShim with `received`: where the output that follows begins. */
export function encodeConnectShimResponse(positions: StreamPositions): string {
  return JSON.stringify({ positions });
}

/**
 * Where the output that follows begins; undefined when the proxy does not know husk's extension: then it keeps nothing and
 * is not to get an acknowledgement. @throws PayloadError
 */
export function parseConnectShimResponse(payload: Uint8Array): StreamPositions | undefined {
  const from = readPayload(payload, MAX_RESPONSE_BYTES);
  return optional(from, "", "positions", readPositions).positions;
}

/** The payload of Signal. @throws PayloadError */
export function parseShimSignal(payload: Uint8Array): ShimSignal {
  const from = readPayload(payload, MAX_COMMAND_BYTES);
  const signal = {
    signalNumber: required(from, "", "signalNumber", integer(1, MAX_SIGNAL)),
    columns: withDefault(from, "", "columns", readSide, 0),
    rows: withDefault(from, "", "rows", readSide, 0),
  };
  const isSized = signal.signalNumber === SIGWINCH;
  for (const key of ["columns", "rows"] as const) {
    if ((signal[key] !== 0) !== isSized)
      throw new PayloadError(key, isSized ? "must not be 0 with SIGWINCH" : "must be 0 without SIGWINCH");
  }
  return signal;
}

/** The payload of a log frame. @throws PayloadError */
export function parseLogEntry(payload: Uint8Array): LogEntry {
  const from = readPayload(payload, MAX_STREAM_BYTES);
  return {
    source: required(from, "", "source", oneOf("shim", "runtime")),
    ...optionalText(from, "", "containerId", text(MAX_TEXT_BYTES)),
    level: required(from, "", "level", oneOf("debug", "info", "warn", "error")),
    msg: required(from, "", "msg", text(MAX_STREAM_BYTES)),
  };
}

/** The payload of an acknowledgement: what has been written safely of each output, so that it need not be sent again. */
export function encodeAcknowledge({ stdout, stderr }: StreamPositions): Uint8Array {
  const payload = new Uint8Array(ACKNOWLEDGE_BYTES);
  writePosition(payload, 0, stdout);
  writePosition(payload, 8, stderr);
  return payload;
}

/** The payload of an acknowledgement. @throws PayloadError */
export function decodeAcknowledge(payload: Uint8Array): StreamPositions {
  if (payload.length !== ACKNOWLEDGE_BYTES)
    throw new PayloadError(
      "",
      `an acknowledgement must have ${ACKNOWLEDGE_BYTES} bytes, not ${payload.length}`,
    );
  return { stdout: readPositionAt(payload, 0), stderr: readPositionAt(payload, 8) };
}

/** The exit code in a notification. @throws PayloadError */
export function decodeProcessExited(payload: Uint8Array): number {
  const [code] = payload;
  if (payload.length !== 1 || code === undefined)
    throw new PayloadError("", `ProcessExited must have 1 byte, not ${payload.length}`);
  return code;
}

function writePosition(payload: Uint8Array, offset: number, position: number): void {
  if (!Number.isSafeInteger(position) || position < 0)
    throw new RangeError("a position is an integer from 0 to 2^53 - 1");
  writeU32(payload, offset, Math.floor(position / U32_RANGE));
  writeU32(payload, offset + 4, position >>> 0);
}

function readPositionAt(payload: Uint8Array, offset: number): number {
  const position = readU32(payload, offset) * U32_RANGE + readU32(payload, offset + 4);
  if (!Number.isSafeInteger(position)) throw new PayloadError("", "a position must be below 2^53");
  return position;
}
