import { existsSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { HuskError } from "../errors/index.ts";
import { type NamespacePlace, runInNamespace, runNetworkProgram } from "./namespace-command.ts";
import { placeOf, type SiteOfNamespace } from "./place.ts";

/** Directory of the namespaces that have names. */
const NAMED_NAMESPACES = "/run/netns";

/** Path of the namespace that is made for a pod. @param uuid the pod's */
export function namespacePath(uuid: string): string {
  return `${NAMED_NAMESPACES}/husk-${uuid}`;
}

/** The name by which `ip netns` knows a namespace, if it is one of its own. */
export function namespaceName(path: string): string | undefined {
  const directory = dirname(path);
  return directory === NAMED_NAMESPACES || directory === `/var${NAMED_NAMESPACES}`
    ? basename(path)
    : undefined;
}

/**
 * Makes a network namespace, with its loopback interface up. What an earlier attempt has left there goes first.
 * @param site its path is one of `namespacePath`
 * @throws HuskError ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED when a program is not installed, ERR_ABORTED
 */
export async function makeNamespace(site: SiteOfNamespace): Promise<void> {
  const place = placeOf(site);
  await removeNamespace(site);
  await runNetns("add", place);
  const { failure } = await runInNamespace(place, "ip", ["link", "set", "dev", "lo", "up"]);
  if (failure === undefined) return;
  throw new HuskError("ERR_NETWORK_NAMESPACE", `${place.netNSPath}: lo cannot be set up: ${failure}`);
}

/**
 * Removes a network namespace, also one that was made by half. One that is not there is no error. Processes that live in it
 * keep it, without a name, until they end.
 * @throws HuskError ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED when a program is not installed, ERR_ABORTED
 */
export async function removeNamespace(site: SiteOfNamespace): Promise<void> {
  const place = placeOf(site);
  if (existsSync(place.netNSPath)) await runNetns("delete", place);
}

async function runNetns(action: "add" | "delete", place: NamespacePlace): Promise<void> {
  const name = namespaceName(place.netNSPath);
  const cannot = `the network namespace ${place.netNSPath} cannot be ${action === "add" ? "made" : "removed"}`;
  if (name === undefined) {
    throw new HuskError("ERR_NETWORK_NAMESPACE", `${cannot}: it is not in ${NAMED_NAMESPACES}`);
  }
  const { failure } = await runNetworkProgram("ip", ["netns", action, name], place);
  if (failure === undefined || (action === "delete" && !existsSync(place.netNSPath))) return;
  throw new HuskError("ERR_NETWORK_NAMESPACE", `${cannot}: ${failure}`);
}

/**
 * Whether there is a namespace at a path. A file that is left of one has another file system.
 * @returns false also for what is not there
 */
export function isNamespace(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.dev === statSync("/proc/self/ns/net").dev;
}

/**
 * Checks a namespace that was given: it is there, can be entered, and is not that of the machine, whose own interfaces
 * would go to the VM.
 * @throws HuskError ERR_NETWORK_NAMESPACE, ERR_NOT_SUPPORTED when a program is not installed, ERR_ABORTED
 */
export async function checkNamespace(site: SiteOfNamespace): Promise<void> {
  const place = placeOf(site);
  const { netNSPath } = place;
  const unusable = (why: string, hint?: string) =>
    new HuskError("ERR_NETWORK_NAMESPACE", `${netNSPath} ${why}`, { hint });
  if (!existsSync(netNSPath)) {
    throw unusable("is not there", "Make it (ip netns add NAME makes /run/netns/NAME), or correct the path.");
  }
  if (!isNamespace(netNSPath)) throw unusable("is not a network namespace");
  if (isMachineNamespace(netNSPath)) {
    const hint = "Give the pod a namespace of its own: its interfaces go to the VM.";
    throw unusable("is the network namespace of the machine itself", hint);
  }
  const { failure } = await runInNamespace(place, "ip", ["-json", "link", "show", "dev", "lo"]);
  if (failure !== undefined) throw unusable(`cannot be looked at: ${failure}`);
}

/** Whether a namespace is that of process 1, or ours where we may not see that one's. */
function isMachineNamespace(path: string): boolean {
  const own = statSync("/proc/self/ns/net");
  try {
    return statSync(path).ino === statSync("/proc/1/ns/net").ino;
  } catch {
    return statSync(path).ino === own.ino;
  }
}
