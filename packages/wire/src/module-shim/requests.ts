import { AttachDecoder } from "../attach/decoder.ts";
import { encodeFrame, makeFrame } from "../attach/frame.ts";
import { ATTACH_HEADER_BYTES, MAX_ATTACH_PAYLOAD_BYTES } from "../attach/limits.ts";
import { readU32, writeU32 } from "../big-endian.ts";
import { PayloadError } from "../hyperstart/payload-error.ts";
import {
  integer,
  type JsonObject,
  listOf,
  nonEmpty,
  oneOf,
  optional,
  readObject,
  readPayload,
  required,
  text,
  withDefault,
} from "../hyperstart/payload-reader.ts";

/** What a frame to a shim is. */
const RequestType = { CALL: 1, STDIN: 2, SIGNAL: 3, RESIZE: 4 } as const;

/** User of an exec. */
export interface ExecUser {
  uid: number;
  gid: number;
  additionalGids?: number[];
}

/** Size of a terminal, in characters. */
export interface TerminalSize {
  rows: number;
  columns: number;
}

/** What a client asks of a shim. One call at a time on a connection; behind `exec` there is no other. */
export type ShimCall =
  /** answered by the state */
  | { method: "state" }
  /** ends the container for good: `signal`, after `graceMs` KILL, and after `killMs` more it is stuck; answered by the state */
  | { method: "stop"; signal: number; graceMs: number; killMs: number }
  | ExecShimCall
  /** ends the shim, whose container must have ended; answered by the state before */
  | { method: "quit" };

/** Runs one more process; what is left out is as in the bundle's config.json, `env` goes above what is there. */
export interface ExecShimCall {
  method: "exec";
  args: string[];
  env?: string[];
  cwd?: string;
  user?: ExecUser;
  timeoutMs?: number;
  /** it has a terminal of that size, from which all of its output comes as stdout; without it, it has three pipes */
  terminal?: TerminalSize;
}

/** A message to a shim. */
export type ShimRequest =
  | { kind: "call"; call: ShimCall }
  /** the size of an exec's terminal from now on */
  | ({ kind: "resize" } & TerminalSize)
  /** input of an exec; none: its end */
  | { kind: "stdin"; data: Uint8Array }
  /** a signal for an exec's process, by the kernel's number */
  | { kind: "signal"; signal: number };

const MAX_SIGNAL = 64;
const MAX_CHARACTERS = 0xffff;
const MAX_INT32 = 0x7fff_ffff;
const MAX_ID = 0xffff_fffe;
const MAX_PATH_BYTES = 4096;
const SIGTERM = 15;
const DEFAULT_GRACE_MS = 3000;
const DEFAULT_KILL_MS = 10_000;

/** Decoder of what clients send. */
export class ShimRequestDecoder extends AttachDecoder<ShimRequest> {
  constructor() {
    super(readRequest);
  }
}

function readRequest(type: number, payload: Uint8Array): ShimRequest {
  if (type === RequestType.STDIN) return { kind: "stdin", data: payload };
  if (type === RequestType.CALL)
    return { kind: "call", call: readCall(readPayload(payload, MAX_ATTACH_PAYLOAD_BYTES)) };
  if (type === RequestType.RESIZE) return { kind: "resize", ...readSize(payload) };
  if (type !== RequestType.SIGNAL) throw new PayloadError("", `a request of type ${type}`);
  if (payload.length !== 4) throw new PayloadError("", `a signal with ${payload.length} bytes, not 4`);
  const signal = readU32(payload, 0);
  if (signal < 1 || signal > MAX_SIGNAL) throw new PayloadError("", `there is no signal ${signal}`);
  return { kind: "signal", signal };
}

function readSize(payload: Uint8Array): TerminalSize {
  if (payload.length !== 4) throw new PayloadError("", `a size with ${payload.length} bytes, not 4`);
  const both = readU32(payload, 0);
  return { rows: both >>> 16, columns: both & MAX_CHARACTERS };
}

function readCall(object: JsonObject): ShimCall {
  const method = required(object, "", "method", oneOf("state", "stop", "exec", "quit"));
  if (method === "stop")
    return {
      method,
      signal: withDefault(object, "", "signal", integer(1, MAX_SIGNAL), SIGTERM),
      graceMs: withDefault(object, "", "graceMs", integer(0, MAX_INT32), DEFAULT_GRACE_MS),
      killMs: withDefault(object, "", "killMs", integer(1, MAX_INT32), DEFAULT_KILL_MS),
    };
  return method === "exec" ? readExec(object) : { method };
}

function readExec(object: JsonObject): ShimCall {
  const word = text(MAX_ATTACH_PAYLOAD_BYTES);
  const args = required(object, "", "args", listOf(word));
  if (!args[0]) throw new PayloadError("args", "must begin with a program");
  return {
    method: "exec",
    args,
    ...optional(object, "", "env", listOf(word)),
    ...optional(object, "", "cwd", nonEmpty(text(MAX_PATH_BYTES))),
    ...optional(object, "", "user", (value, path) => readUser(readObject(value, path), path)),
    ...optional(object, "", "timeoutMs", integer(1, MAX_INT32)),
    ...optional(object, "", "terminal", (value, path) => readTerminal(readObject(value, path), path)),
  };
}

function readTerminal(object: JsonObject, path: string): TerminalSize {
  const characters = integer(0, MAX_CHARACTERS);
  return {
    rows: required(object, path, "rows", characters),
    columns: required(object, path, "columns", characters),
  };
}

function readUser(object: JsonObject, path: string): ExecUser {
  const id = integer(0, MAX_ID);
  return {
    uid: required(object, path, "uid", id),
    gid: required(object, path, "gid", id),
    ...optional(object, path, "additionalGids", listOf(id)),
  };
}

/** What stands in a call when it is made: what has a default may be left out. */
export type ShimCallInput =
  | Exclude<ShimCall, { method: "stop" }>
  | { method: "stop"; signal?: number; graceMs?: number; killMs?: number };

/** Asks for something. @throws RangeError when it is longer than a frame */
export function encodeShimCall(call: ShimCallInput): Uint8Array {
  return encodeFrame(RequestType.CALL, new TextEncoder().encode(JSON.stringify(call)));
}

/** Gives an exec input; without data, its end. @throws RangeError when it is longer than a frame */
export function encodeExecStdin(data?: Uint8Array): Uint8Array {
  return data ? encodeFrame(RequestType.STDIN, data) : makeFrame(RequestType.STDIN, 0);
}

/** Sends a signal to an exec's process. @throws RangeError when no signal has that number */
export function encodeExecSignal(signal: number): Uint8Array {
  if (!Number.isInteger(signal) || signal < 1 || signal > MAX_SIGNAL)
    throw new RangeError(`there is no signal ${signal}`);
  const frame = makeFrame(RequestType.SIGNAL, 4);
  writeU32(frame, ATTACH_HEADER_BYTES, signal);
  return frame;
}

/** Tells the size of an exec's terminal. @throws RangeError when it is none */
export function encodeExecResize({ rows, columns }: TerminalSize): Uint8Array {
  for (const count of [rows, columns])
    if (!Number.isInteger(count) || count < 0 || count > MAX_CHARACTERS)
      throw new RangeError(`no terminal has ${count} rows or columns`);
  const frame = makeFrame(RequestType.RESIZE, 4);
  writeU32(frame, ATTACH_HEADER_BYTES, ((rows << 16) | columns) >>> 0);
  return frame;
}
