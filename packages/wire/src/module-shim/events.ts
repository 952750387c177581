import { AttachDecoder } from "../attach/decoder.ts";
import { encodeFrame } from "../attach/frame.ts";
import { MAX_ATTACH_PAYLOAD_BYTES } from "../attach/limits.ts";
import { PayloadError } from "../hyperstart/payload-error.ts";
import {
  integer,
  type JsonObject,
  oneOf,
  optional,
  readBoolean,
  readPayload,
  required,
  text,
} from "../hyperstart/payload-reader.ts";
import { MAX_SHIM_TEXT_BYTES } from "./limits.ts";
import { readShimState, type ShimState } from "./state.ts";

/** What a frame of a shim is. */
const EventType = { STATE: 16, FAULT: 17, STARTED: 18, STDOUT: 19, STDERR: 20, EXIT: 21 } as const;

/**
 * Why a call was not done: `running`: the container runs; `not-running`: it does not; `stuck`: a process could not be ended,
 * the record of it is kept; `runtime`: the runtime's command failed; `busy`: too many clients or execs.
 */
export type ShimFaultCode = "running" | "not-running" | "stuck" | "runtime" | "busy";

/** A call that was not done. */
export interface ShimFault {
  code: ShimFaultCode;
  message: string;
  /** last error in the runtime's log */
  runtimeLog?: string;
}

/** How an exec's process ended. */
export interface ExecExit {
  /** exit code; absent when a signal ended it */
  exitCode?: number;
  /** signal that ended it, by the kernel's number */
  exitSignal?: number;
  /** its time was up, and it was ended for that */
  timedOut?: true;
}

/** What a shim tells a client. `state`, `fault` and `exit` end a call. */
export type ShimEvent =
  | { kind: "state"; state: ShimState }
  | { kind: "fault"; fault: ShimFault }
  /** an exec's process runs; `pid` is that on the host */
  | { kind: "started"; pid: number }
  | { kind: "output"; name: "stdout" | "stderr"; data: Uint8Array }
  | { kind: "exit"; exit: ExecExit };

/** Most bytes of output in one frame. */
export const MAX_EXEC_OUTPUT_BYTES = MAX_ATTACH_PAYLOAD_BYTES;

const MAX_PID = 0x7fff_ffff;

/** Decoder of what a shim sends. */
export class ShimEventDecoder extends AttachDecoder<ShimEvent> {
  constructor() {
    super(readEvent);
  }
}

function readEvent(type: number, payload: Uint8Array): ShimEvent {
  if (type === EventType.STDOUT) return { kind: "output", name: "stdout", data: payload };
  if (type === EventType.STDERR) return { kind: "output", name: "stderr", data: payload };
  const object = readPayload(payload, MAX_ATTACH_PAYLOAD_BYTES);
  if (type === EventType.STATE) return { kind: "state", state: readShimState(object) };
  if (type === EventType.FAULT) return { kind: "fault", fault: readFault(object) };
  if (type === EventType.EXIT) return { kind: "exit", exit: readExit(object) };
  if (type === EventType.STARTED)
    return { kind: "started", pid: required(object, "", "pid", integer(1, MAX_PID)) };
  throw new PayloadError("", `an event of type ${type}`);
}

function readFault(object: JsonObject): ShimFault {
  return {
    code: required(object, "", "code", oneOf("running", "not-running", "stuck", "runtime", "busy")),
    message: required(object, "", "message", text(MAX_SHIM_TEXT_BYTES)),
    ...optional(object, "", "runtimeLog", text(MAX_SHIM_TEXT_BYTES)),
  };
}

function readExit(object: JsonObject): ExecExit {
  const timedOut = optional(object, "", "timedOut", readBoolean).timedOut;
  return {
    ...optional(object, "", "exitCode", integer(0, 255)),
    ...optional(object, "", "exitSignal", integer(1, 127)),
    ...(timedOut ? { timedOut } : {}),
  };
}

/** Tells the state. */
export function encodeStateEvent(state: ShimState): Uint8Array {
  return encodeJson(EventType.STATE, state);
}

/** Tells why a call was not done. */
export function encodeFault(fault: ShimFault): Uint8Array {
  return encodeJson(EventType.FAULT, fault);
}

/** Tells that an exec's process runs. */
export function encodeStarted(pid: number): Uint8Array {
  return encodeJson(EventType.STARTED, { pid });
}

/** Tells how an exec's process ended: all of its output has been sent. */
export function encodeExecExit(exit: ExecExit): Uint8Array {
  return encodeJson(EventType.EXIT, exit);
}

/** Gives output of an exec. @throws RangeError when it is more than MAX_EXEC_OUTPUT_BYTES */
export function encodeExecOutput(name: "stdout" | "stderr", data: Uint8Array): Uint8Array {
  return encodeFrame(name === "stdout" ? EventType.STDOUT : EventType.STDERR, data);
}

function encodeJson(type: number, value: object): Uint8Array {
  return encodeFrame(type, new TextEncoder().encode(JSON.stringify(value)));
}
