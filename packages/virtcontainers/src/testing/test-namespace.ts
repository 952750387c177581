import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { setTimeout as after } from "node:timers/promises";
import type { NetworkRecord, NetworkSite } from "../network/types.ts";
import type { NetworkConfig } from "../types/index.ts";

/** A network namespace of a test, which goes with it. */
export interface TestNamespace extends AsyncDisposable {
  readonly name: string;
  readonly path: string;
  /** Runs `ip` in it with words. @returns what it prints */
  ip(words: string): string;
  /** Runs `tc` in it with words. @returns what it prints */
  tc(words: string): string;
  /** All that it has of links, addresses, routes, neighbours and queues, without what changes by itself. */
  dump(): unknown;
}

/** Makes a namespace with its loopback interface up. */
export function makeTestNamespace(): TestNamespace {
  const name = `husk-test-${randomBytes(4).toString("hex")}`;
  execFileSync("ip", ["netns", "add", name]);
  const path = `/run/netns/${name}`;
  const run = (program: string) => (words: string) =>
    execFileSync("nsenter", [`--net=${path}`, "--", program, ...words.split(" ")], {
      stdio: ["ignore", "pipe", "pipe"],
    }).toString();
  const [ip, tc] = [run("ip"), run("tc")];
  ip("link set dev lo up");
  const dump = () => dumpNamespace(ip, tc);
  const remove = async () => {
    if (existsSync(path)) execFileSync("ip", ["netns", "delete", name]);
  };
  return { name, path, ip, tc, dump, [Symbol.asyncDispose]: remove };
}

/** Lets addresses that a namespace gets later work at once: nobody asks whether others have them. */
export function skipDuplicateDetection({ path }: Pick<TestNamespace, "path">): void {
  const script = "for of in all default; do echo 0 > /proc/sys/net/ipv6/conf/$of/accept_dad; done";
  execFileSync("nsenter", [`--net=${path}`, "--", "sh", "-ec", script]);
}

/** What is to become of a pod's network, in a namespace of a test. */
export function testSite(
  netNSPath: string,
  config: NetworkConfig = {},
): NetworkSite & { record: NetworkRecord } {
  const record: NetworkRecord = { netNSPath, endpoints: [] };
  return { containerId: randomUUID(), config, record, save: () => {}, deadlineFactor: 1 };
}

/** Waits until no address of a namespace is tentative any more. */
export function untilSettled({ ip }: TestNamespace): Promise<void> {
  return until(() => ip("-6 address show tentative -dadfailed").trim() === "");
}

/** Waits until the kernel knows in a namespace that the other end of a link is down. */
export function untilCarrierLost({ ip }: TestNamespace): Promise<void> {
  return until(() => ip("route show").includes("linkdown"));
}

/** Nobody tells when it is so. */
async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error("the namespace does not become as it should");
    await after(50);
  }
}

type Run = (words: string) => string;

function dumpNamespace(ip: Run, tc: Run): unknown {
  const json = (text: string): unknown => JSON.parse(text || "[]", withoutPassing);
  return {
    links: json(ip("-d -json address show")),
    routes: ip("route show table all").replaceAll("linkdown ", "").split("\n").sort(),
    neighbours: json(ip("-json neighbour show nud permanent")),
    queues: json(tc("-json qdisc show")),
  };
}

/** Lifetimes are the kernel's; the state of a link tells of its other end; counters count. */
function withoutPassing(key: string, value: unknown): unknown {
  if (key === "flags" && Array.isArray(value)) {
    return value.filter((flag) => flag !== "NO-CARRIER" && flag !== "LOWER_UP");
  }
  return ["operstate", "tentative", "refcnt", "promiscuity", "allmulti", "gc_timer"].includes(key)
    ? undefined
    : value;
}
