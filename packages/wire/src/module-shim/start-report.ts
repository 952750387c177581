import {
  integer,
  type JsonObject,
  line,
  optional,
  readBoolean,
  readObject,
  readPayload,
  required,
  text,
} from "../hyperstart/payload-reader.ts";
import { MAX_SHIM_TEXT_BYTES, MAX_START_REPORT_BYTES } from "./limits.ts";

/** Why a container could not be started. */
export interface StartFault {
  /** what failed: `plan`, `lock`, `prepare`, or the command: `create`, `start` */
  step: string;
  message: string;
  /** last error in the runtime's log */
  runtimeLog?: string;
}

/**
 * The one line that a shim writes to its stdout, which it closes then. `pid`: the container's process; none when there is nothing
 * to run any more. `adopted`: it ran already. When stdout ends without a line the shim has died.
 */
export type StartReport = { ok: true; pid?: number; adopted?: boolean } | { error: StartFault };

const MAX_PID = 0x7fff_ffff;
const MAX_STEP_BYTES = 64;

/** The line, with its end. */
export function encodeStartReport(report: StartReport): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(report)}\n`);
}

/** Reads the line. @throws PayloadError when it is none */
export function parseStartReport(bytes: Uint8Array): StartReport {
  const object = readPayload(bytes, MAX_START_REPORT_BYTES);
  if (object.ok !== true) return { error: readFault(required(object, "", "error", readObject)) };
  return {
    ok: true,
    ...optional(object, "", "pid", integer(1, MAX_PID)),
    ...optional(object, "", "adopted", readBoolean),
  };
}

function readFault(object: JsonObject): StartFault {
  return {
    step: required(object, "error", "step", line(MAX_STEP_BYTES)),
    message: required(object, "error", "message", text(MAX_SHIM_TEXT_BYTES)),
    ...optional(object, "error", "runtimeLog", text(MAX_SHIM_TEXT_BYTES)),
  };
}
