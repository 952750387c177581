import { existsSync, statSync } from "node:fs";
import { isAbsolute, join, normalize } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { isNamespace } from "@husk/virtcontainers/internals";
import { isBind } from "../backend/specification.ts";
import { readRequest } from "../entrypoint/command.ts";
import { checkName } from "../state/names.ts";
import type { MountInfo, NetworkInfo, RunOptions } from "../types.ts";
import { checkRunFields, checkRunOptions } from "./call-rules.ts";

/** Directory of the network namespaces that have names. */
const NAMED_NAMESPACES = "/run/netns";

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
  const { flist, tags, network, mounts, entrypoint, env, options } = request;
  checkRunFields({ flist, tags, network, mounts }, "");
  checkRunOptions(options, "options");
  readRequest({ entrypoint, env, cwd: options.cwd });
  for (const [index, mount] of mounts.entries()) checkSource(`mounts[${index}].source`, mount);
  return network && findNamespace(network);
}

/**
 * Finds the network namespace of a name or a path.
 * @throws HuskError ERR_NETWORK_NAMESPACE, ERR_CONFIG_INVALID
 */
function findNamespace({ namespace }: NetworkInfo): string {
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

function checkSource(at: string, mount: MountInfo): void {
  if (!isBind(mount)) return;
  const { source } = mount;
  if (!isAbsolute(source)) throw invalid(at, `${JSON.stringify(source)} is no absolute path`);
  if (statSync(source, { throwIfNoEntry: false })) return;
  throw new HuskError("ERR_MOUNT_SOURCE_MISSING", `${at}: ${source} is not there`);
}

function invalid(at: string, why: string): HuskError {
  return new HuskError("ERR_CONFIG_INVALID", `${at}: ${why}`);
}
