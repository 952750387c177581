import { isAbsolute } from "node:path";
import { type ErrorCode, HuskError } from "@husk/virtcontainers";
import { suggestName } from "@husk/virtcontainers/internals";
import { findRuntime } from "../backend/find-runtime.ts";
import { openBackend } from "../backend/open-backend.ts";
import type { SourceOptions } from "../sources/root-source.ts";
import type { BackendKind, ContainerID } from "../types.ts";
import type { ModuleContext } from "./context.ts";

/** How a container module is opened. */
export interface ModuleOptions extends Pick<SourceOptions, "allowedStores" | "stores" | "retry" | "limits"> {
  /** absolute path of the program module-shim */
  readonly shim: string;
  /** what carries out new containers; default: vm */
  readonly backend?: BackendKind | undefined;
  /** program of the backend, an absolute path or a name in PATH; default of `oci`: runc */
  readonly runtime?: string | undefined;
  /** directory of what outlives a reboot; default: `/var/lib/husk-module` */
  readonly stateRoot?: string | undefined;
  /** directory of what does not; default: `/run/husk-module` */
  readonly runRoot?: string | undefined;
  /** directory of the logs, `<ns>/<name>.log`; default: `/var/log` */
  readonly logRoot?: string | undefined;
  /** where downloads, blocks and unpacked roots are kept; default: `flists` in husk's cache */
  readonly cacheDirectory?: string | undefined;
  /** bytes that unpacked roots may have together */
  readonly maxCacheBytes?: number | undefined;
  /** told what goes wrong with containers that a call has not named; default: nobody is */
  readonly onWarning?: ((warning: ModuleWarning) => void) | undefined;
  /** until it fires, shims that die are replaced at once; default: by the next call */
  readonly guard?: AbortSignal | undefined;
  /** ends the opening */
  readonly signal?: AbortSignal | undefined;
}

/** Something that went wrong with a container while another was asked for. */
export interface ModuleWarning {
  readonly ns: string;
  readonly id: ContainerID;
  readonly code: ErrorCode;
  readonly message: string;
}

const KNOWN: readonly (keyof ModuleOptions)[] = [
  ...([
    "shim",
    "backend",
    "runtime",
    "stateRoot",
    "runRoot",
    "logRoot",
    "cacheDirectory",
    "maxCacheBytes",
  ] as const),
  ...(["onWarning", "guard", "signal", "allowedStores", "stores", "retry", "limits"] as const),
];
/** So long that the socket's path, with `/containers/`, 32 digits, `/socket` and `.new`, still has less than 108 bytes. */
const MAX_RUN_ROOT_BYTES = 48;

/**
 * Checks options, and fills in what they leave out.
 * @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD, ERR_RUNTIME, ERR_NOT_SUPPORTED
 */
export function readOptions(options: ModuleOptions): ModuleContext {
  for (const key of Object.keys(options)) checkKnown(key);
  const { backend = "vm", onWarning } = options;
  if (backend !== "vm" && backend !== "oci")
    throw invalid("backend", `${JSON.stringify(backend)} is neither vm nor oci`);
  const runtime = options.runtime ?? (backend === "oci" ? "runc" : undefined);
  if (!runtime) throw invalid("runtime", "the backend vm needs the path of its program");
  const runRoot = checkPath("runRoot", options.runRoot ?? "/run/husk-module");
  if (Buffer.byteLength(runRoot) > MAX_RUN_ROOT_BYTES) {
    throw invalid("runRoot", `has more than ${MAX_RUN_ROOT_BYTES} bytes, too many for sockets in it`);
  }
  return {
    directories: {
      stateRoot: checkPath("stateRoot", options.stateRoot ?? "/var/lib/husk-module"),
      runRoot,
      logRoot: checkPath("logRoot", options.logRoot ?? "/var/log"),
    },
    backend: openBackend({ kind: backend, runtime: findRuntime(runtime) }),
    shim: checkPath("shim", options.shim),
    sources: {
      cacheDirectory: options.cacheDirectory,
      maxCacheBytes: options.maxCacheBytes,
      allowedStores: options.allowedStores,
      stores: options.stores,
      retry: options.retry,
      limits: options.limits,
    },
    warn: ({ code, message }, { ns, name }) => onWarning?.({ ns, id: name, code, message }),
  };
}

function checkKnown(key: string): void {
  if ((KNOWN as readonly string[]).includes(key)) return;
  const text = `unknown field ${key.slice(0, 200)}; ${suggestName(key, KNOWN)}`;
  throw new HuskError("ERR_CONFIG_UNKNOWN_FIELD", text);
}

function checkPath(at: string, path: string): string {
  if (typeof path === "string" && isAbsolute(path) && !path.includes("\0"))
    return path.replace(/(?<=.)\/+$/, "");
  throw invalid(at, `${JSON.stringify(path)} is no absolute path`);
}

function invalid(at: string, why: string): HuskError {
  return new HuskError("ERR_CONFIG_INVALID", `${at}: ${why}`);
}
