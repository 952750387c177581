import { existsSync, statSync } from "node:fs";
import { isAbsolute, join, normalize } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { isNamespace } from "@husk/virtcontainers/internals";
import { readRequest } from "../entrypoint/command.ts";
import { checkName } from "../state/names.ts";
import type { MountInfo, NetworkInfo, RunOptions } from "../types.ts";

/** Directory of the network namespaces that have names. */
const NAMED_NAMESPACES = "/run/netns";
const MAX_TEXT_BYTES = 4095;
const MAX_ITEMS = 1024;
/** The least with which a program can be started. */
const LEAST_MEMORY = 4 * 1024 * 1024;
const LEAST_LOG_BYTES = 4096;
const MOST_LOG_FILES = 1000;
const MAX_INT32 = 0x7fff_ffff;

/** What `run` is told. */
export interface RunRequest {
  readonly ns: string;
  readonly name: string;
  readonly flist: string;
  readonly tags: readonly string[];
  readonly env: readonly string[];
  readonly network: NetworkInfo | undefined;
  readonly mounts: readonly MountInfo[];
  readonly entrypoint: string | readonly string[];
  readonly options: RunOptions;
}

/**
 * Refuses what cannot be run, before anything is made for it.
 * @returns path of the network namespace that the container is to join, if it is to
 * @throws HuskError ERR_NAME_INVALID, ERR_ENTRYPOINT_INVALID, ERR_CONFIG_INVALID, ERR_NETWORK_NAMESPACE,
 * ERR_MOUNT_SOURCE_MISSING
 */
export function checkRequest(request: RunRequest): string | undefined {
  checkName("namespace", request.ns);
  checkName("container", request.name);
  checkText("flist", request.flist);
  if (request.flist === "") throw invalid("flist", "is empty: there is no root file system to run");
  checkList("tags", request.tags, checkText);
  checkList("mounts", request.mounts, checkMount);
  readRequest({ entrypoint: request.entrypoint, env: request.env, cwd: request.options.cwd });
  checkOptions(request.options);
  return request.network && findNamespace(request.network);
}

/**
 * Finds the network namespace of a name or a path.
 * @throws HuskError ERR_NETWORK_NAMESPACE, ERR_CONFIG_INVALID
 */
function findNamespace({ namespace }: NetworkInfo): string {
  checkText("network.namespace", namespace);
  if (
    namespace === "" ||
    namespace === "." ||
    namespace === ".." ||
    (namespace.includes("/") && !isAbsolute(namespace))
  ) {
    throw invalid("network.namespace", `${JSON.stringify(namespace)} is neither a name nor an absolute path`);
  }
  const path = isAbsolute(namespace) ? normalize(namespace) : join(NAMED_NAMESPACES, namespace);
  if (isNamespace(path)) return path;
  const why = existsSync(path) ? "is not a network namespace" : "is not there";
  throw new HuskError("ERR_NETWORK_NAMESPACE", `${path} ${why}`, {
    hint: "Make it first (ip netns add NAME makes /run/netns/NAME): the container module never does.",
  });
}

function checkMount(at: string, mount: MountInfo): void {
  if (typeof mount !== "object" || mount === null) throw invalid(at, "is no mount");
  const { source, target, type = "bind", options = [] } = mount;
  checkText(`${at}.source`, source);
  checkText(`${at}.target`, target);
  checkText(`${at}.type`, type);
  checkList(`${at}.options`, options, checkText);
  if (!isAbsolute(target) || target.split("/").includes("..") || normalize(target) === "/") {
    throw invalid(`${at}.target`, `${JSON.stringify(target)} is no absolute path below the root`);
  }
  const odd = options.find((option) => option === "" || option.includes(","));
  if (odd !== undefined) throw invalid(`${at}.options`, `${JSON.stringify(odd)} is not one option`);
  if (type === "") throw invalid(`${at}.type`, "is empty");
  if (type === "bind") checkSource(`${at}.source`, source);
}

function checkSource(at: string, source: string): void {
  if (!isAbsolute(source)) throw invalid(at, `${JSON.stringify(source)} is no absolute path`);
  if (statSync(source, { throwIfNoEntry: false })) return;
  throw new HuskError("ERR_MOUNT_SOURCE_MISSING", `${at}: ${source} is not there`);
}

function checkOptions({ memory, cpus, log, restart }: RunOptions): void {
  if (memory !== undefined) checkInteger("memory", memory, LEAST_MEMORY, Number.MAX_SAFE_INTEGER);
  if (cpus !== undefined && !(typeof cpus === "number" && cpus >= 0.01 && cpus <= 4096)) {
    throw invalid("cpus", "must be from 0.01 to 4096");
  }
  if (log) {
    checkInteger("log.maxBytes", log.maxBytes, LEAST_LOG_BYTES, Number.MAX_SAFE_INTEGER);
    checkInteger("log.maxFiles", log.maxFiles, 1, MOST_LOG_FILES);
  }
  if (restart) {
    for (const key of ["limit", "delayMs", "stableMs"] as const) {
      checkInteger(`restart.${key}`, restart[key], 0, MAX_INT32);
    }
  }
}

/** @throws HuskError ERR_CONFIG_INVALID */
export function checkInteger(at: string, value: unknown, least: number, most: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw invalid(at, `must be a whole number from ${least} to ${most}`);
}

function checkText(at: string, value: unknown): void {
  if (typeof value !== "string") throw invalid(at, "is no text");
  if (value.includes("\0")) throw invalid(at, "holds a NUL character");
  if (Buffer.byteLength(value) > MAX_TEXT_BYTES) throw invalid(at, `has more than ${MAX_TEXT_BYTES} bytes`);
}

function checkList<T>(at: string, values: readonly T[], check: (at: string, value: T) => void): void {
  if (!Array.isArray(values)) throw invalid(at, "is no list");
  if (values.length > MAX_ITEMS) throw invalid(at, `has more than ${MAX_ITEMS} items`);
  for (const [index, value] of values.entries()) check(`${at}[${index}]`, value as T);
}

function invalid(at: string, why: string): HuskError {
  return new HuskError("ERR_CONFIG_INVALID", `${at}: ${why}`);
}
