import { readProcessId } from "./identifiers.ts";
import { MAX_ARGUMENT_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_STREAM_SEQ } from "./limits.ts";
import { PayloadError } from "./payload-error.ts";
import type { JsonObject, Reader } from "./payload-reader.ts";
import {
  integer,
  line,
  lineOrNumber,
  listOf,
  nonEmpty,
  optional,
  optionalText,
  readBoolean,
  readObject,
  required,
  text,
  withDefault,
} from "./payload-reader.ts";

/** One variable of a process's environment: `{"env": string, "value": string}`. */
export interface EnvVar {
  /** name, not empty and without `=` */
  env: string;
  /** value */
  value: string;
}

/** One resource limit: `{"type": string, "hard": u64, "soft": u64}`. */
export interface Rlimit {
  /** name as in the OCI runtime specification, `"RLIMIT_NOFILE"` */
  type: string;
  /** ceiling, in the limit's own unit; RLIMIT_UNLIMITED for none */
  hard: number;
  /** limit in force, in the limit's own unit; RLIMIT_UNLIMITED for none */
  soft: number;
}

/**
 * Stands for RLIM_INFINITY, which no JS number holds: the largest number below 2^64, so that its JSON still is a
 * u64. A parser gives it for all values above 2^53 − 1.
 */
export const RLIMIT_UNLIMITED: number = 2 ** 64 - 2048;

/** Capability sets of a process, names as `"CAP_CHOWN"`. */
export interface Capabilities {
  /** bounding set */
  bounding: string[];
  /** effective set */
  effective: string[];
  /** inheritable set */
  inheritable: string[];
  /** permitted set */
  permitted: string[];
  /** ambient set */
  ambient: string[];
}

/**
 * A process to start, inside NEWCONTAINER and EXECCMD. The C agent ignores all keys after the first one it does
 * not know, so the last five below, husk's and Clear Containers' additions, go last in the JSON.
 */
export interface Process {
  /** id, unique in its container; `"init"` for the first process */
  id: string;
  /** user name or number in the container's /etc/passwd; absent: root */
  user?: string;
  /** group name or number; absent: the user's own */
  group?: string;
  /** further groups, names or numbers */
  additionalGroups: string[];
  /** whether stdin, stdout and, without a `stderr` stream, stderr are one terminal */
  terminal: boolean;
  /** stream of stdin and stdout, never 0 */
  stdio: number;
  /** stream of stderr; 0, only with a terminal: none of its own */
  stderr: number;
  /** program and its arguments, at least one */
  args: string[];
  /** environment, later entries win */
  envs: EnvVar[];
  /** working directory, `"/"` when absent */
  workdir: string;
  /** initial height of the terminal in characters */
  rows?: number;
  /** initial width of the terminal in characters */
  columns?: number;
  /** whether execve may not gain privileges */
  noNewPrivileges?: boolean;
  /** capability sets, of which one that is absent is empty; all absent: what the user has anyway */
  capabilities?: Capabilities;
  /** resource limits; absent: the agent's own */
  rlimits?: Rlimit[];
}

/** A {@link Process} as a host may write it: what has a default may be left out. */
export type ProcessRequest = Omit<Process, ProcessDefault> & Partial<Pick<Process, ProcessDefault>>;

type ProcessDefault = "additionalGroups" | "terminal" | "stderr" | "envs" | "workdir";

const readName = line(MAX_NAME_BYTES);
const readSeq = integer(0, MAX_STREAM_SEQ);
const readSide = integer(0, 0xffff);
const readArguments = listOf(text(MAX_ARGUMENT_BYTES));
const readNames = listOf(nonEmpty(readName));

/** A process; `defaultId` names one that says no id of its own, where that is allowed, by its stream. */
export function processReader(defaultId?: (stdio: number) => string): Reader<Process> {
  return (value, path) => {
    const from = readObject(value, path);
    const stdio = required(from, path, "stdio", readSeq);
    const id = optionalText(from, path, "id", readProcessId).id ?? defaultId?.(stdio);
    if (id === undefined) throw new PayloadError(`${path}.id`, "is missing");
    const process: Process = {
      id,
      ...optionalText(from, path, "user", lineOrNumber(MAX_NAME_BYTES)),
      ...optionalText(from, path, "group", lineOrNumber(MAX_NAME_BYTES)),
      additionalGroups: withDefault(from, path, "additionalGroups", listOf(lineOrNumber(MAX_NAME_BYTES)), []),
      terminal: withDefault(from, path, "terminal", readBoolean, false),
      stdio,
      stderr: withDefault(from, path, "stderr", readSeq, 0),
      args: required(from, path, "args", readArguments),
      envs: withDefault(from, path, "envs", listOf(readEnvVar), []),
      workdir: optionalText(from, path, "workdir", text(MAX_PATH_BYTES)).workdir ?? "/",
      ...optional(from, path, "rows", readSide),
      ...optional(from, path, "columns", readSide),
      ...optional(from, path, "noNewPrivileges", readBoolean),
      ...readCapabilitiesIfAny(from, path),
      ...optional(from, path, "rlimits", listOf(readRlimit)),
    };
    checkStreams(process, path);
    if (process.args.length === 0) throw new PayloadError(`${path}.args`, "must not be empty");
    return process;
  };
}

function checkStreams(process: Process, path: string): void {
  if (process.stdio === 0) throw new PayloadError(`${path}.stdio`, "must not be 0");
  if (process.stderr === 0 && !process.terminal) {
    throw new PayloadError(`${path}.stderr`, "must not be 0 without a terminal");
  }
  if (process.stderr === process.stdio) throw new PayloadError(`${path}.stderr`, "must differ from stdio");
}

const readEnvVar: Reader<EnvVar> = (value, path) => {
  const from = readObject(value, path);
  const env = required(from, path, "env", nonEmpty(text(MAX_ARGUMENT_BYTES)));
  if (env.includes("=")) throw new PayloadError(`${path}.env`, "must not contain '='");
  return { env, value: withDefault(from, path, "value", text(MAX_ARGUMENT_BYTES), "") };
};

const readRlimit: Reader<Rlimit> = (value, path) => {
  const from = readObject(value, path);
  return {
    type: required(from, path, "type", nonEmpty(readName)),
    hard: readLimit(from, path, "hard"),
    soft: readLimit(from, path, "soft"),
  };
};

function readLimit(from: JsonObject, path: string, key: string): number {
  // 2^64 is what JSON.parse makes of 2^64 − 1.
  const limit = required(from, path, key, integer(0, 2 ** 64));
  return limit > Number.MAX_SAFE_INTEGER ? RLIMIT_UNLIMITED : limit;
}

/** Clear Containers 3 always sends the object; five times `null` in it is its way to say nothing. */
function readCapabilitiesIfAny(from: JsonObject, path: string): { capabilities?: Capabilities } {
  const { capabilities } = optional(from, path, "capabilities", readObject);
  const isEmpty = CAPABILITY_SETS.every((set) => (capabilities?.[set] ?? null) === null);
  return isEmpty ? {} : optional(from, path, "capabilities", readCapabilities);
}

const CAPABILITY_SETS = ["bounding", "effective", "permitted", "inheritable", "ambient"] as const;

const readCapabilities: Reader<Capabilities> = (value, path) => {
  const from = readObject(value, path);
  return {
    bounding: withDefault(from, path, "bounding", readNames, []),
    effective: withDefault(from, path, "effective", readNames, []),
    inheritable: withDefault(from, path, "inheritable", readNames, []),
    permitted: withDefault(from, path, "permitted", readNames, []),
    ambient: withDefault(from, path, "ambient", readNames, []),
  };
};
