import { HuskError } from "@husk/virtcontainers";
import { flag, integer, list, object, type Rule, text } from "@husk/virtcontainers/internals";
import type {
  DeleteOptions,
  ExecOptions,
  ModuleLogOptions,
  MountInfo,
  NetworkInfo,
  RunOptions,
} from "../types.ts";

/** What names a container. */
interface ContainerParams {
  readonly ns: string;
  readonly id: string;
}

/** What the service's methods are given, by their names; options without the signal, which is the connection. */
export interface MethodParams {
  readonly version: Record<string, never>;
  readonly run: {
    readonly ns: string;
    readonly name: string;
    readonly flist: string;
    readonly tags?: readonly string[];
    readonly env?: readonly string[];
    readonly network?: NetworkInfo;
    readonly mounts?: readonly MountInfo[];
    readonly entrypoint?: string | readonly string[];
    readonly options?: Omit<RunOptions, "signal">;
  };
  readonly inspect: ContainerParams;
  readonly delete: ContainerParams & { readonly options?: Omit<DeleteOptions, "signal"> };
  readonly list: { readonly ns?: string };
  readonly logs: ContainerParams & { readonly options?: Omit<ModuleLogOptions, "signal"> };
  readonly exec: ContainerParams & {
    readonly args: readonly string[];
    readonly options?: Omit<ExecOptions, "signal">;
  };
}

const MAX_SAFE = Number.MAX_SAFE_INTEGER;
/** Longest time that a timer can have, in milliseconds. */
const MAX_TIME_MS = 0x7fff_ffff;
const time = integer(0, MAX_TIME_MS);
const words = list(text());
const container = { ns: text(), id: text() };

const cpus: Rule = (value, at) => {
  if (typeof value !== "number" || !Number.isFinite(value) || value <= 0)
    throw new HuskError("ERR_CONFIG_INVALID", `${at}: must be a number above 0`);
};

/** The service's own working directory means nothing to its clients. */
const source: Rule = (value, at) => {
  text({ max: 4095, empty: false })(value, at);
  if (/^(\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(value as string)) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: ${JSON.stringify(value)} is no absolute path or address`);
};

const entrypoint: Rule = (value, at) => (Array.isArray(value) ? words(value, at) : text()(value, at));

const mount = object({ source: text(), target: text(), type: text(), options: words }, ["source", "target"]);

const runOptions = object({
  memory: integer(1, MAX_SAFE),
  cpus,
  cwd: text(),
  log: object({ maxBytes: integer(1, MAX_SAFE), maxFiles: integer(1, 1000) }, ["maxBytes", "maxFiles"]),
  restart: object({ limit: integer(0, MAX_SAFE), delayMs: time, stableMs: time }, [
    "limit",
    "delayMs",
    "stableMs",
  ]),
});

/**
 * What the methods take. The module looks at the values itself; here they only get their types.
 */
export const METHOD_RULES: Readonly<Record<keyof MethodParams, Rule>> = {
  version: object({}),
  run: object(
    {
      ns: text(),
      name: text(),
      flist: source,
      tags: words,
      env: words,
      network: object({ namespace: text() }, ["namespace"]),
      mounts: list(mount),
      entrypoint,
      options: runOptions,
    },
    ["ns", "name", "flist"],
  ),
  inspect: object(container, ["ns", "id"]),
  delete: object({ ...container, options: object({ graceMs: time, removeLog: flag }) }, ["ns", "id"]),
  list: object({ ns: text() }),
  logs: object({ ...container, options: object({ follow: flag, tail: integer(0, MAX_SAFE) }) }, ["ns", "id"]),
  exec: object(
    {
      ...container,
      args: list(text(), { empty: false }),
      options: object({ env: words, cwd: text(), timeoutMs: time }),
    },
    ["ns", "id", "args"],
  ),
};
