import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeTrafficRoot } from "@husk/tiny/traffic";
import type { NetworkConfig } from "@husk/virtcontainers";
import { DEMO_ROOTFS } from "./places.ts";

/** Namespace with the far ends of all cables: the "host" that pods talk to. */
const HOST = "husk-bench-host";
const BRIDGE = "huskbench0";

/**
 * Networks of the benchmark's own: namespaces joined to one by a cable each, a CNI network, and a program that makes
 * traffic. Disposing of it removes them.
 */
export class BenchNetwork implements Disposable {
  readonly #folder: string;
  readonly #namespaces: string[] = [];
  readonly #listeners = new Set<ChildProcess>();
  /** root file system of containers that make traffic */
  readonly rootFs: string;
  /** the same program for the host's side */
  readonly traffic: string;

  private constructor(folder: string, rootFs: string, traffic: string) {
    this.#folder = folder;
    this.rootFs = rootFs;
    this.traffic = traffic;
  }

  /** Makes the host's namespace and the programs in a folder. */
  static async create(folder: string): Promise<BenchNetwork> {
    const { path: rootFs, program: traffic } = await makeTrafficRoot(DEMO_ROOTFS, folder);
    const network = new BenchNetwork(folder, rootFs, traffic);
    network.#addNamespace(HOST);
    return network;
  }

  /** A namespace with an interface eth0 whose other end is at the host's. */
  addPodNamespace(number: number): { path: string; hostAddress: string } {
    const name = `husk-bench-${number}`;
    this.#addNamespace(name);
    const far = `far${number}`;
    ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", far, "netns", HOST);
    for (const [namespace, link, last] of [
      [name, "eth0", 2],
      [HOST, far, 1],
    ] as const) {
      ip("-n", namespace, "address", "add", `10.88.${number}.${last}/24`, "dev", link);
      ip("-n", namespace, "link", "set", link, "up");
    }
    return { path: `/run/netns/${name}`, hostAddress: `10.88.${number}.1` };
  }

  /** A CNI network of the usual plugins. */
  async addCniNetwork(): Promise<NonNullable<NetworkConfig["cni"]>> {
    const confDir = join(this.#folder, "cni");
    await mkdir(confDir);
    const ipam = {
      type: "host-local",
      dataDir: join(this.#folder, "leases"),
      ranges: [[{ subnet: "10.89.0.0/24" }]],
      routes: [{ dst: "0.0.0.0/0" }],
    };
    const plugin = { type: "bridge", bridge: BRIDGE, isGateway: true, ipam };
    const list = { cniVersion: "1.0.0", name: "husk-bench", plugins: [plugin] };
    await writeFile(join(confDir, "10-bench.conflist"), JSON.stringify(list));
    return { confDirs: [confDir] };
  }

  /**
   * Starts the traffic program at the host's, or in husk's own namespace.
   * @returns settles when it listens, and later with the megabytes per second that it has moved
   */
  async listen(
    where: "host" | "here",
    port: number,
    ...verb: string[]
  ): Promise<{ rate: () => Promise<number> }> {
    const enter = where === "host" ? ["nsenter", `--net=/run/netns/${HOST}`, "--"] : [];
    const [program = "", ...args] = [...enter, this.traffic, "listen", String(port), ...verb];
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#listeners.add(child);
    const lines = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
    const ended = once(child, "exit").finally(() => this.#listeners.delete(child));
    const { value } = await lines.next();
    if (value !== "listening") throw new Error(`traffic does not listen: ${value}`);
    return {
      rate: async () => {
        const told = await lines.next();
        await ended;
        return rateOf(String(told.value));
      },
    };
  }

  [Symbol.dispose](): void {
    // One whose peer failed would listen for ever.
    for (const child of this.#listeners) child.kill("SIGKILL");
    for (const name of this.#namespaces) ip("netns", "delete", name);
    // The plugin leaves its bridge, as others may use it.
    if (existsSync(`/sys/class/net/${BRIDGE}`)) ip("link", "delete", BRIDGE);
  }

  #addNamespace(name: string): void {
    ip("netns", "add", name);
    this.#namespaces.push(name);
  }
}

/** Megabytes per second, as the traffic program tells: `BYTES bytes in MS ms`. */
function rateOf(told: string): number {
  const [, bytes, ms] = /^(\d+) bytes in ([\d.]+) ms$/.exec(told.trim()) ?? [];
  if (bytes === undefined || ms === undefined) throw new Error(`traffic told: ${told}`);
  return Number(bytes) / 1000 / Number(ms);
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
}
