/** The files in /etc that a pod gives its containers: its name, its name servers, its hosts. Reference: hyperstart.md 4.4. */

import * as sys from "tiny:sys";
import { exists, MS_BIND, readTextIfThere, S_IFMT, S_IFREG, writeText } from "@husk/tiny";
import { writeMachineId } from "./machine-id.ts";
import { makeMountPoint, resolveInContainer } from "./mounts/mount-point.ts";
import type { GuestPath } from "./mounts/mount-step.ts";
import { listAddresses } from "./network/addresses.ts";
import { podPaths } from "./paths.ts";

/** Where a pod's name leads that has no address: to itself, but not as localhost, as in Debian. */
const NO_ADDRESS = "127.0.1.1";

/** What the files are made from. */
export interface PodFiles {
  hostname: string;
  /** lines of resolv.conf; none for a pod without name servers */
  resolvConf: readonly string[];
}

/** Writes what is known when the pod starts. */
export function writePodFiles({ hostname, resolvConf }: PodFiles): void {
  if (hostname) writeText(podPaths.hostname, `${hostname}\n`);
  if (resolvConf.length > 0) writeText(podPaths.resolvConf, `${resolvConf.join("\n")}\n`);
  writeMachineId();
}

/** Removes them: the next pod may have none. */
export function removePodFiles(): void {
  for (const path of [podPaths.hostname, podPaths.resolvConf, podPaths.hosts, podPaths.machineId]) {
    if (exists(path)) sys.unlink(path);
  }
}

let knowsIpv6 = false;

/** Whether the kernel has IPv6; once it has, it is not asked again. */
function hasIpv6(): boolean {
  knowsIpv6 ||= exists("/proc/sys/net/ipv6");
  return knowsIpv6;
}

/** Writes the hosts anew, should there be others by now: interfaces may have come since the pod was started. */
export function writeHosts(hostname: string): void {
  const loopback = ["127.0.0.1\tlocalhost"];
  if (hasIpv6()) loopback.push("::1\tlocalhost ip6-localhost ip6-loopback");
  const addresses = hostname ? listAddresses() : [];
  // One of each family, as more would only be tried one after the other.
  const first = [addresses.find((one) => !one.includes(":")), addresses.find((one) => one.includes(":"))];
  const own = first.filter((one) => one !== undefined);
  if (hostname && own.length === 0) own.push(NO_ADDRESS);
  const text = [...loopback, ...own.map((address) => `${address}\t${hostname}`), ""].join("\n");
  if (readTextIfThere(podPaths.hosts) !== text) writeText(podPaths.hosts, text);
}

/** Files without which a container cannot find others: a read-only image that lacks one gets it in an overlay. */
export function neededPodFiles(): string[] {
  return ["/etc/hosts", ...(exists(podPaths.resolvConf) ? ["/etc/resolv.conf"] : [])];
}

/** Whether there is something that an image has been given on purpose. */
function hasContents(path: string): boolean {
  try {
    const { mode, size } = sys.stat(resolveInContainer(path));
    return (mode & S_IFMT) !== S_IFREG || size > 0;
  } catch {
    return false;
  }
}

/** Binds one of the pod's files over the image's. A read-only root without it does without it. */
function bindPodFile(source: string, path: string): void {
  if (!exists(source)) return;
  let target: string;
  try {
    target = makeMountPoint(path, "file");
  } catch {
    return;
  }
  sys.mount(source, target, null, MS_BIND, null);
}

/** Binds them, in the child, whose root is the container's. Hosts of the image's own are left to it. */
export function bindPodFiles(guest: GuestPath): void {
  bindPodFile(guest(podPaths.hostname), "/etc/hostname");
  bindPodFile(guest(podPaths.resolvConf), "/etc/resolv.conf");
  if (!hasContents("/etc/hosts")) bindPodFile(guest(podPaths.hosts), "/etc/hosts");
}
