/** Which namespaces a container gets, joins, or shares with its pod. */

import * as sys from "tiny:sys";
import { CLONE_NEWCGROUP, CLONE_NEWNET, O_RDONLY, withFile } from "@husk/tiny";
import type { LinuxNamespace } from "@husk/wire/kata";
import { NAMESPACE_FLAGS, type NamespaceKind } from "../namespaces.ts";
import { raiseLoopback } from "../network/links.ts";
import { checkPath, quote, specFault } from "./spec-fault.ts";

/** See the head of the file. */
export interface NamespacesPlan {
  ownPids: boolean;
  ownCgroup: boolean;
  /** `CLONE_NEW*` that the first process is forked with, beside a mount namespace */
  flags: number;
  /** what more processes join, in order */
  joined: NamespaceKind[];
  /** In the child, in its cgroup and the pod's namespaces: gets and joins the rest. */
  enter(): void;
}

/** The specification's names, and the kernel's. */
const KINDS = new Map<string, NamespaceKind>([
  ["pid", "pid"],
  ["ipc", "ipc"],
  ["uts", "uts"],
  ["network", "net"],
  ["mount", "mnt"],
  ["cgroup", "cgroup"],
  ["user", "user"],
]);

function readKind(type: string): NamespaceKind {
  const kind = KINDS.get(type);
  if (kind !== undefined) return kind;
  if (type === "time") throw specFault("a time namespace is not supported");
  throw specFault(`unknown namespace type ${quote(type)}`);
}

/** The paths of the namespaces that a specification names, "" for those to be made. */
function readPaths(namespaces: readonly LinuxNamespace[]): Map<NamespaceKind, string> {
  const paths = new Map<NamespaceKind, string>();
  for (const { Type: type, Path: path } of namespaces) {
    const kind = readKind(type);
    if (paths.has(kind)) throw specFault(`namespace type ${quote(type)} is given twice`);
    if (path && (kind === "pid" || kind === "mnt" || kind === "user"))
      throw specFault(`a ${type} namespace is not joined by its path: ${quote(path)}`);
    if (path) checkPath(`the path of the ${type} namespace`, path);
    paths.set(kind, path);
  }
  return paths;
}

function joinPath(kind: NamespaceKind, path: string): void {
  withFile(path, O_RDONLY, 0, (fd) => sys.setns(fd, NAMESPACE_FLAGS[kind]));
}

/**
 * Plans them. What is not named is the pod's, as are IPC and UTS namespaces without a path: a host clears the paths of
 * those that are of its own side.
 *
 * @param sharesPids whether it is in the pod's PID namespace
 * @throws TtrpcError INVALID_ARGUMENT for a kind that is unknown, given twice, or cannot be joined
 */
export function planNamespaces(namespaces: readonly LinuxNamespace[], sharesPids: boolean): NamespacesPlan {
  const paths = readPaths(namespaces);
  const joins = [...paths].filter(([, path]) => path !== "");
  const ownNetwork = paths.get("net") === "";
  const ownCgroup = paths.get("cgroup") === "";
  const further = (["net", "cgroup", "user"] as const).filter((kind) => paths.has(kind));
  return {
    ownPids: !sharesPids,
    ownCgroup,
    flags: ownNetwork ? CLONE_NEWNET : 0,
    joined: ["ipc", "uts", ...further, "mnt"],
    enter: () => {
      for (const [kind, path] of joins) joinPath(kind, path);
      if (ownNetwork) raiseLoopback();
      if (ownCgroup) sys.unshare(CLONE_NEWCGROUP);
    },
  };
}
