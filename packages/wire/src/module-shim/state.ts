import {
  integer,
  type JsonObject,
  line,
  oneOf,
  optional,
  readBoolean,
  readPayload,
  required,
  text,
} from "../hyperstart/payload-reader.ts";
import { MAX_SHIM_STATE_BYTES, MAX_SHIM_TEXT_BYTES, type SHIM_FILE_VERSION } from "./limits.ts";
import { readVersion } from "./plan.ts";

/**
 * Where a container is: `creating` until its first start has gone well, `running`, `restarting` from its end until it runs
 * again, `stopped` when it has ended and was to, `failed` when it could not be started or ended too often.
 */
export type ShimStateName = "creating" | "running" | "restarting" | "stopped" | "failed";

/**
 * state.json: what a module shim knows of its container. Only the shim writes it, at each change, as a whole (another file, fsync,
 * rename). While the shim does not live (its lock is free) it is the last that was known.
 */
export interface ShimState {
  version: typeof SHIM_FILE_VERSION;
  state: ShimStateName;
  /** id of the container's process on the host, while there is one */
  pid?: number;
  /** when that was started, in clock ticks since the boot, as /proc/PID/stat has it: no other process has both */
  pidStartTime?: number;
  /** when the container was started last, in ISO 8601, UTC */
  startedAt?: string;
  /** when its process ended last */
  exitedAt?: string;
  /** exit code of that end */
  exitCode?: number;
  /** signal of that end, in the place of an exit code */
  exitSignal?: number;
  /** nobody knows how it ended: its shim was not its parent */
  exitUnknown?: true;
  /** the kernel ended a process of it for want of memory */
  oomKilled?: true;
  /** restarts in a row */
  restarts: number;
  /** why it is `failed`, or what has become of it otherwise */
  reason?: string;
  /** it was told to stop: it is not started again */
  stopRequested?: true;
  /** what its runtime has made of it is still to be removed, although it has ended */
  unremoved?: true;
  /** bytes of output that could not be written to the log, and were dropped */
  droppedBytes?: number;
  /** what went wrong beside, last */
  warning?: string;
  /** /proc/sys/kernel/random/boot_id at the time */
  bootId: string;
  /** process id of the shim that wrote this */
  shimPid: number;
}

const MAX_PID = 0x7fff_ffff;
const TIME_BYTES = 64;

/** The JSON of a state. */
export function encodeShimState(state: ShimState): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(state, null, 2)}\n`);
}

/** Reads a state.json. @throws PayloadError when it is none, or of another version */
export function parseShimState(bytes: Uint8Array): ShimState {
  return readShimState(readPayload(bytes, MAX_SHIM_STATE_BYTES));
}

/** Reads a state out of JSON. @throws PayloadError when it is none */
export function readShimState(object: JsonObject): ShimState {
  const most = Number.MAX_SAFE_INTEGER;
  const readTrue = (value: unknown, path: string) => readBoolean(value, path) || undefined;
  const flag = <K extends string>(key: K) =>
    (optional(object, "", key, readTrue)[key] ? { [key]: true } : {}) as { [P in K]?: true };
  return {
    version: readVersion(object),
    state: required(object, "", "state", oneOf("creating", "running", "restarting", "stopped", "failed")),
    ...optional(object, "", "pid", integer(1, MAX_PID)),
    ...optional(object, "", "pidStartTime", integer(0, most)),
    ...optional(object, "", "startedAt", line(TIME_BYTES)),
    ...optional(object, "", "exitedAt", line(TIME_BYTES)),
    ...optional(object, "", "exitCode", integer(0, 255)),
    ...optional(object, "", "exitSignal", integer(1, 127)),
    ...flag("exitUnknown"),
    ...flag("oomKilled"),
    restarts: required(object, "", "restarts", integer(0, MAX_PID)),
    ...optional(object, "", "reason", text(MAX_SHIM_TEXT_BYTES)),
    ...flag("stopRequested"),
    ...flag("unremoved"),
    ...optional(object, "", "droppedBytes", integer(0, most)),
    ...optional(object, "", "warning", text(MAX_SHIM_TEXT_BYTES)),
    bootId: required(object, "", "bootId", line(TIME_BYTES)),
    shimPid: required(object, "", "shimPid", integer(1, MAX_PID)),
  };
}
