import { PayloadError } from "../hyperstart/payload-error.ts";
import {
  integer,
  type JsonObject,
  line,
  listOf,
  nonEmpty,
  optional,
  type Reader,
  readObject,
  readPayload,
  required,
  text,
  withDefault,
} from "../hyperstart/payload-reader.ts";
import { MAX_SHIM_PLAN_BYTES, SHIM_FILE_VERSION } from "./limits.ts";

/** In a command: the path of the OCI process.json of an exec. */
export const PROCESS_PLACE = "{process}";
/** In a command: the path where the process id of an exec is to be written, or is. */
export const PID_FILE_PLACE = "{pidFile}";
/** In a command: the path of a socket on which the runtime is to hand over the terminal that it has made. */
export const CONSOLE_PLACE = "{console}";
/** In a command: the number of a signal. */
export const SIGNAL_PLACE = "{signal}";

/** Where the output of a container goes. */
export interface ShimLogPlan {
  path: string;
  /** size from which on a new file is begun, in bytes */
  maxBytes: number;
  /** files kept, with the one that is written: `path`, `path.1`, … */
  maxFiles: number;
}

/** When a container that has ended is started again. */
export interface ShimRestartPlan {
  /** restarts in a row, whatever its exit code; 0: none */
  limit: number;
  /** milliseconds before one */
  delayMs: number;
  /** milliseconds that a container has to run for its restarts not to count any more */
  windowMs: number;
}

/**
 * plan.json: what a module shim is to do, written by the module before it starts one, and never changed.
 *
 * A command is a program's absolute path and its arguments; it has only `environment`, stands in `/`, leads a session of its own,
 * and its orphans become children of the shim. Each has to end, but for what it leaves running.
 */
export interface ShimPlan {
  version: typeof SHIM_FILE_VERSION;
  /** namespace of the container */
  ns: string;
  /** its name there */
  name: string;
  /** its id for the runtime */
  runtimeId: string;
  /** folder of the OCI bundle; `process` of its config.json is what an exec begins with */
  bundle: string;
  /** makes the container with the standard streams that it has: stdin /dev/null, stdout and stderr the FIFOs; writes `pidFile` */
  create: string[];
  /** starts what `create` made */
  start: string[];
  /** sends a signal to the container's process; the signal's number is put behind it */
  kill: string[];
  /** removes the container whatever it is in the middle of; of one that is not there too, with 0 */
  delete: string[];
  /** starts one more process and ends, with {@link PROCESS_PLACE} and {@link PID_FILE_PLACE}; the process becomes the shim's child */
  exec: string[];
  /**
   * the same for a process with a terminal: with {@link CONSOLE_PLACE}, the runtime makes that; without it, the standard streams are
   * a terminal of the shim's, which only passes on what a terminal elsewhere takes and gives. Missing: there are no terminals
   */
  execTerminal?: string[];
  /** sends a signal to an exec's process, with {@link PID_FILE_PLACE} and {@link SIGNAL_PLACE}; without it kill(2) does */
  killExec?: string[];
  /** `NAME=value` strings for all commands */
  environment: string[];
  /** file to which `create` writes the process id of the container's process, in decimal digits */
  pidFile: string;
  /** file to which the commands write what went wrong, as JSON lines with `level` and `msg`; emptied before `create` */
  runtimeLog: string;
  /** file that tells how the container's process ended, as an `ExitRecord`, for a shim that is not its parent */
  exitFile?: string;
  /** FIFO that is the container's stdout; made if it is not there */
  stdout: string;
  /** the same for stderr; the same path keeps the order of both */
  stderr: string;
  log: ShimLogPlan;
  /** path of state.json */
  state: string;
  /** file whose lock (flock) the shim holds while it lives */
  lock: string;
  /** path of the control socket, at most 103 bytes */
  socket: string;
  /** file that forbids restarts while it is there */
  deleting?: string;
  restart: ShimRestartPlan;
  /** milliseconds that a command may take before it is killed */
  commandTimeoutMs: number;
}

const MAX_PATH_BYTES = 4096;
const MAX_WORD_BYTES = 128 * 1024;
const MAX_NAME_BYTES = 256;
/** Longest path of a socket that still has room for what is put behind it until it listens, in bytes. */
const MAX_SOCKET_BYTES = 103;
const MAX_INT32 = 0x7fff_ffff;
const LEAST_LOG_BYTES = 4096;
const MOST_LOG_FILES = 1000;
const DEFAULT_COMMAND_MS = 120_000;

/** Reads a plan.json. @throws PayloadError when it is none, or of another version */
export function parseShimPlan(bytes: Uint8Array): ShimPlan {
  return readPlan(readPayload(bytes, MAX_SHIM_PLAN_BYTES));
}

const readPath: Reader<string> = (value, path) => {
  const found = nonEmpty(text(MAX_PATH_BYTES))(value, path);
  if (found.startsWith("/")) return found;
  throw new PayloadError(path, "must be an absolute path");
};

const readCommand: Reader<string[]> = (value, path) => {
  const words = listOf(text(MAX_WORD_BYTES))(value, path);
  readPath(words[0], `${path}[0]`);
  return words;
};

const readSocket: Reader<string> = (value, path) => {
  const found = readPath(value, path);
  if (new TextEncoder().encode(found).length <= MAX_SOCKET_BYTES) return found;
  throw new PayloadError(path, `must not be longer than ${MAX_SOCKET_BYTES} bytes`);
};

const readExec: Reader<string[]> = (value, path) => {
  const words = readCommand(value, path);
  for (const place of [PROCESS_PLACE, PID_FILE_PLACE])
    if (!words.includes(place)) throw new PayloadError(path, `must have ${place} as an argument`);
  return words;
};

function readPlan(object: JsonObject): ShimPlan {
  const name = nonEmpty(line(MAX_NAME_BYTES));
  const path = (key: string) => required(object, "", key, readPath);
  const command = (key: string) => required(object, "", key, readCommand);
  return {
    version: readVersion(object),
    ns: required(object, "", "ns", name),
    name: required(object, "", "name", name),
    runtimeId: required(object, "", "runtimeId", name),
    bundle: path("bundle"),
    create: command("create"),
    start: command("start"),
    kill: command("kill"),
    delete: command("delete"),
    exec: required(object, "", "exec", readExec),
    ...optional(object, "", "execTerminal", readExec),
    ...optional(object, "", "killExec", readCommand),
    environment: required(object, "", "environment", listOf(text(MAX_WORD_BYTES))),
    pidFile: path("pidFile"),
    runtimeLog: path("runtimeLog"),
    ...optional(object, "", "exitFile", readPath),
    stdout: path("stdout"),
    stderr: path("stderr"),
    log: readLog(required(object, "", "log", readObject)),
    state: path("state"),
    lock: path("lock"),
    socket: required(object, "", "socket", readSocket),
    ...optional(object, "", "deleting", readPath),
    restart: readRestart(required(object, "", "restart", readObject)),
    commandTimeoutMs: withDefault(object, "", "commandTimeoutMs", integer(1, MAX_INT32), DEFAULT_COMMAND_MS),
  };
}

function readLog(object: JsonObject): ShimLogPlan {
  return {
    path: required(object, "log", "path", readPath),
    maxBytes: required(object, "log", "maxBytes", integer(LEAST_LOG_BYTES, Number.MAX_SAFE_INTEGER)),
    maxFiles: required(object, "log", "maxFiles", integer(1, MOST_LOG_FILES)),
  };
}

function readRestart(object: JsonObject): ShimRestartPlan {
  return {
    limit: required(object, "restart", "limit", integer(0, MAX_INT32)),
    delayMs: required(object, "restart", "delayMs", integer(0, MAX_INT32)),
    windowMs: required(object, "restart", "windowMs", integer(0, MAX_INT32)),
  };
}

/** The version of a file of ours. @throws PayloadError at another */
export function readVersion(object: JsonObject): typeof SHIM_FILE_VERSION {
  return required(object, "", "version", (value, path) => {
    if (value === SHIM_FILE_VERSION) return value;
    throw new PayloadError(path, `must be ${SHIM_FILE_VERSION}`);
  });
}
