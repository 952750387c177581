import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { TestContext } from "node:test";
import type { NetworkRecord, NetworkSite } from "../network/types.ts";
import type { CniConfig, NetworkConfig } from "../types/index.ts";
import { makeTempRoot } from "./temp-root.ts";
import { skipDuplicateDetection } from "./test-namespace.ts";

const PLUGINS = "/usr/lib/cni";

/** Why tests of CNI are left out, if they are. */
export const needsPlugins: { skip: string | false } = { skip: findReason() };

function findReason(): string | false {
  if (process.geteuid?.() !== 0) return "SKIPPED: needs root (network namespaces); run the tests as root";
  try {
    readdirSync(PLUGINS);
    return false;
  } catch {
    return `SKIPPED: needs the CNI plugins of Debian's containernetworking-plugins in ${PLUGINS}`;
  }
}

/** A network site of a test, with what was stored of its record. */
export interface TestSite extends NetworkSite {
  /** the record as it was stored, each time */
  readonly saved: NetworkRecord[];
}

/**
 * A machine for CNI plugins: a network namespace in which they run, so that the bridges and the firewall rules that they
 * make are not those of the real machine. All of it is removed at the test's end.
 */
export class CniMachine {
  /** name of the namespace that stands for the machine's own */
  readonly name = `husk-test-${randomBytes(5).toString("hex")}`;
  /** directory of the test */
  readonly base: string;
  readonly confDir: string;
  /** directory with the real plugins, which run in the machine's namespace */
  readonly binDir: string;
  /** where host-local keeps its leases */
  readonly dataDir: string;
  readonly #namespaces: string[] = [];

  constructor(test: TestContext) {
    const { base } = makeTempRoot(test, async () => this.#remove());
    this.base = base;
    this.confDir = join(base, "net.d");
    this.binDir = join(base, "bin");
    this.dataDir = join(base, "leases");
    for (const dir of [this.confDir, this.binDir]) mkdirSync(dir);
    this.#addNamespace(this.name);
    // A gateway's address that is still being tried for duplicates is nobody's: who connects then never gets an answer.
    skipDuplicateDetection({ path: `/run/netns/${this.name}` });
    for (const plugin of readdirSync(PLUGINS)) {
      this.writePlugin(plugin, `exec nsenter --net=/run/netns/${this.name} -- ${join(PLUGINS, plugin)}`);
    }
  }

  /** Where the networks and plugins of this machine are found. */
  get cni(): CniConfig {
    return { confDirs: [this.confDir], binDirs: [this.binDir] };
  }

  /** Writes a configuration. */
  writeConfiguration(file: string, content: unknown): void {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    writeFileSync(join(this.confDir, file), text);
  }

  /** Writes a plugin, as a shell script. */
  writePlugin(name: string, script: string): void {
    const path = join(this.binDir, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  /** Takes a plugin away. @returns brings it back */
  removePlugin(name: string): () => void {
    const path = join(this.binDir, name);
    const script = readFileSync(path);
    rmSync(path);
    return () => writeFileSync(path, script, { mode: 0o755 });
  }

  /** Removes the namespace of a site. */
  removeNamespace({ record }: NetworkSite): void {
    execFileSync("ip", ["netns", "del", basename(record.netNSPath ?? "")]);
  }

  /** Leases that host-local has given out, for a network. */
  leases(network: string): string[] {
    try {
      return readdirSync(join(this.dataDir, network)).filter((name) => /^[0-9a-f]+[.:]/.test(name));
    } catch {
      return [];
    }
  }

  /** A pod's site with a namespace of its own, which counts as made for it unless told otherwise. */
  makeSite(
    config: NetworkConfig,
    options: { given?: boolean; deadlineFactor?: number; signal?: AbortSignal } = {},
  ): TestSite {
    const name = `${this.name}-${this.#namespaces.length}`;
    this.#addNamespace(name);
    const record: NetworkRecord = { netNSPath: `/run/netns/${name}`, created: !options.given, endpoints: [] };
    const saved: NetworkRecord[] = [];
    return {
      containerId: randomUUID(),
      config: { ...config, cni: { ...this.cni, ...config.cni } },
      record,
      saved,
      save: () => saved.push(structuredClone(record)),
      deadlineFactor: options.deadlineFactor ?? 6,
      signal: options.signal,
    };
  }

  /** Runs a program in the machine's namespace. @returns what it printed */
  run(program: string, ...args: string[]): string {
    return runIn(`/run/netns/${this.name}`, program, ...args);
  }

  #addNamespace(name: string): void {
    this.#namespaces.push(name);
    execFileSync("ip", ["netns", "add", name]);
    execFileSync("ip", ["-n", name, "link", "set", "lo", "up"]);
  }

  #remove(): void {
    const there = readdirSync("/run/netns");
    for (const name of this.#namespaces) if (there.includes(name)) execFileSync("ip", ["netns", "del", name]);
  }
}

/** Runs a program in a namespace. @returns what it printed */
export function runIn(netNSPath: string | undefined, program: string, ...args: string[]): string {
  return execFileSync("nsenter", [`--net=${netNSPath}`, "--", program, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}
