import { isAbsolute, normalize } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { flag, integer, list, object, type Rule, text } from "@husk/virtcontainers/internals";

const MAX_PATH_BYTES = 4095;
/** The least with which a program can be started. */
const LEAST_MEMORY = 4 * 1024 * 1024;
const LEAST_LOG_BYTES = 4096;
const MOST_LOG_FILES = 1000;
const MAX_SAFE = Number.MAX_SAFE_INTEGER;
const MAX_INT32 = 0x7fff_ffff;

const time = integer(0, MAX_INT32);
const path = text({ max: MAX_PATH_BYTES, empty: false });

const signal: Rule = (value, at) => {
  if (!(value instanceof AbortSignal)) throw invalid(at, "must be an AbortSignal");
};

const cpus: Rule = (value, at) => {
  if (!(typeof value === "number" && value >= 0.01 && value <= 4096))
    throw invalid(at, "must be from 0.01 to 4096");
};

const directory: Rule = (value, at) => {
  path(value, at);
  if (!isAbsolute(value as string)) throw invalid(at, `${JSON.stringify(value)} is no absolute path`);
};

/** A path below the root of a container. */
const target: Rule = (value, at) => {
  directory(value, at);
  const found = value as string;
  if (!found.split("/").includes("..") && normalize(found) !== "/") return;
  throw invalid(at, `${JSON.stringify(found)} is no absolute path below the root`);
};

const mountOption: Rule = (value, at) => {
  text({ max: MAX_PATH_BYTES, empty: false })(value, at);
  if ((value as string).includes(",")) throw invalid(at, `${JSON.stringify(value)} is not one option`);
};

const mount = object(
  {
    source: text({ max: MAX_PATH_BYTES }),
    target,
    type: text({ max: 64, empty: false }),
    options: list(mountOption),
  },
  ["source", "target"],
);

/** Rules of a call's fields, by their names. */
type Fields = Readonly<Record<string, Rule>>;

/** What `run` is told beside names and the command. */
export const RUN_FIELDS = {
  flist: path,
  tags: list(text({ max: MAX_PATH_BYTES })),
  network: object({ namespace: text({ max: MAX_PATH_BYTES }) }, ["namespace"]),
  mounts: list(mount),
} satisfies Fields;

/** Options of `run`; all options are without the signal, which only callers in this process have. */
export const RUN_OPTIONS: Fields = {
  memory: integer(LEAST_MEMORY, MAX_SAFE),
  cpus,
  cwd: directory,
  log: object({ maxBytes: integer(LEAST_LOG_BYTES, MAX_SAFE), maxFiles: integer(1, MOST_LOG_FILES) }, [
    "maxBytes",
    "maxFiles",
  ]),
  restart: object({ limit: time, delayMs: time, stableMs: time }, ["limit", "delayMs", "stableMs"]),
};

/** Options of `delete`. */
export const DELETE_OPTIONS: Fields = { graceMs: time, removeLog: flag };

/** Options of `logs`. */
export const LOG_OPTIONS: Fields = { follow: flag, tail: integer(0, MAX_SAFE) };

const characters = integer(0, 0xffff);

/** Size of a terminal. */
export const checkTerminalSize: Rule = object({ rows: characters, columns: characters }, ["rows", "columns"]);

/** Options of `exec`; its environment is checked where it is put together. */
export const EXEC_OPTIONS: Fields = {
  env: list(text()),
  cwd: directory,
  timeoutMs: integer(1, MAX_INT32),
  terminal: checkTerminalSize,
};

/** A field of another name is an error, as everywhere. */
export const checkRunFields: Rule = object(RUN_FIELDS);
export const checkRunOptions: Rule = object({ signal, ...RUN_OPTIONS });
export const checkDeleteOptions: Rule = object({ signal, ...DELETE_OPTIONS });
export const checkLogOptions: Rule = object({ signal, ...LOG_OPTIONS });
export const checkExecOptions: Rule = object({ signal, ...EXEC_OPTIONS });
/** Options that all calls have. */
export const checkCallOptions: Rule = object({ signal });

function invalid(at: string, why: string): HuskError {
  return new HuskError("ERR_CONFIG_INVALID", `${at}: ${why}`);
}
