/** The files in /etc that a pod gives its containers: its name, its name servers, its hosts. Reference: hyperstart.md 4.4. */

import * as sys from "tiny:sys";
import { exists, MS_BIND, readTextIfThere, S_IFMT, S_IFREG, writeText } from "@husk/tiny";
import type { Pod as PodSpec } from "@husk/wire/hyperstart";
import { makeMountPoint, resolveInContainer } from "./mounts/mount-point.ts";
import type { GuestPath } from "./mounts/mount-step.ts";
import { listAddresses } from "./network/addresses.ts";
import { podPaths } from "./paths.ts";

/** Where a pod's name leads that has no address: to itself, but not as localhost, as in Debian. */
const NO_ADDRESS = "127.0.1.1";

function writeResolvConf(spec: PodSpec): void {
  const lines = spec.dns.map((server) => `nameserver ${server}`);
  if (lines.length === 0) return;
  if (spec.dnsSearch.length > 0) lines.push(`search ${spec.dnsSearch.join(" ")}`);
  if (spec.dnsOptions.length > 0) lines.push(`options ${spec.dnsOptions.join(" ")}`);
  writeText(podPaths.resolvConf, `${lines.join("\n")}\n`);
}

/** Writes what is known when the pod starts. */
export function writePodFiles(spec: PodSpec): void {
  if (spec.hostname) writeText(podPaths.hostname, `${spec.hostname}\n`);
  writeResolvConf(spec);
}

/** Writes the hosts anew, should there be others by now: interfaces may have come since the pod was started. */
export function writeHosts(hostname: string): void {
  const loopback = ["127.0.0.1\tlocalhost"];
  if (exists("/proc/sys/net/ipv6")) loopback.push("::1\tlocalhost ip6-localhost ip6-loopback");
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
