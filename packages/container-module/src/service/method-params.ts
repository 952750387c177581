import { HuskError } from "@husk/virtcontainers";
import { list, object, type Rule, text } from "@husk/virtcontainers/internals";
import { DELETE_OPTIONS, EXEC_OPTIONS, LOG_OPTIONS, RUN_FIELDS, RUN_OPTIONS } from "../module/call-rules.ts";
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

const words = list(text());
const container = { ns: text(), id: text() };

/** The service's own working directory means nothing to its clients. */
const source: Rule = (value, at) => {
  RUN_FIELDS.flist(value, at);
  if (/^(\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(value as string)) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}: ${JSON.stringify(value)} is no absolute path or address`);
};

const entrypoint: Rule = (value, at) => (Array.isArray(value) ? words(value, at) : text()(value, at));

/** What the methods take: by the module's own rules, but for what it reads word by word itself. */
export const METHOD_RULES: Readonly<Record<keyof MethodParams, Rule>> = {
  version: object({}),
  run: object(
    {
      ...RUN_FIELDS,
      ...{ ns: text(), name: text(), flist: source, env: words, entrypoint },
      options: object(RUN_OPTIONS),
    },
    ["ns", "name", "flist"],
  ),
  inspect: object(container, ["ns", "id"]),
  delete: object({ ...container, options: object(DELETE_OPTIONS) }, ["ns", "id"]),
  list: object({ ns: text() }),
  logs: object({ ...container, options: object(LOG_OPTIONS) }, ["ns", "id"]),
  exec: object({ ...container, args: words, options: object(EXEC_OPTIONS) }, ["ns", "id", "args"]),
};
