import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type ContainerInfo,
  type ContainerModule,
  type ModuleOptions,
  openContainerModule,
} from "@husk/container-module";
import { RUNTIMES } from "@husk/container-module/testing/runtimes";
import { findNetworks, findProcesses } from "../leaks.ts";
import { REPOSITORY, RESIDENTS } from "../places.ts";
import { untilNoneLeft } from "./until.ts";

/** What carries containers out, as a conformance test is told. */
export interface TestedBackend {
  readonly name: string;
  readonly options: Pick<ModuleOptions, "backend" | "runtime">;
  /** why it cannot be tested here, in words */
  readonly missing: string | false;
}

/** OCI runtimes of this machine, and husk's VMs. */
export const BACKENDS: Readonly<Record<"runc" | "crun" | "vm", TestedBackend>> = {
  runc: {
    name: "oci, runc",
    options: { backend: "oci", runtime: RUNTIMES.runc },
    missing: findMissing("runc"),
  },
  crun: {
    name: "oci, crun",
    options: { backend: "oci", runtime: RUNTIMES.crun },
    missing: findMissing("crun"),
  },
  vm: {
    name: "vm",
    options: { backend: "vm", runtime: join(REPOSITORY, "bin/husk-vm-runtime") },
    missing: needsRoot(),
  },
};

/** The module makes none: those that come and go are other tests'. */
const NAMESPACES = "/run/netns/";
/** Milliseconds in which what is ending has ended: that of a hang. */
const ENDING_MS = 30_000;
const WORKER = join(import.meta.dirname, "../module-worker.ts");

/** What another process does with a module of its own. */
export interface ModuleWork {
  /** methods and their arguments, one after the other; a line is printed after each */
  readonly calls: readonly (readonly [method: string, ...args: unknown[]])[];
  /** go on living afterwards, until a signal ends it */
  readonly stay?: boolean;
  /** serve the module on this socket first */
  readonly socket?: string;
}

/** Directories of one test in which modules are opened. Disposing of it fails the test when anything is left. */
export class ModulePlace implements AsyncDisposable {
  /** a namespace that no other test has */
  readonly ns = `t${randomBytes(4).toString("hex")}`;
  readonly folder = mkdtempSync("/tmp/hm-");
  readonly warnings: string[] = [];
  readonly backend: TestedBackend;
  readonly #networks = findNetworks();
  readonly #children = new Set<ChildProcess>();

  constructor(backend: TestedBackend, signal?: AbortSignal) {
    this.backend = backend;
    // What a test that is out of time waits for ends.
    signal?.addEventListener("abort", () => this.#killChildren());
  }

  /** How modules are opened here. */
  get options(): ModuleOptions {
    return {
      shim: join(RESIDENTS, "module-shim"),
      stateRoot: join(this.folder, "state"),
      runRoot: join(this.folder, "run"),
      logRoot: join(this.folder, "log"),
      cacheDirectory: join(this.folder, "cache"),
      allowedStores: [`dir://${this.folder}`],
      ...this.backend.options,
    };
  }

  /** Opens a module in this process. */
  open(): Promise<ContainerModule> {
    return openContainerModule({
      ...this.options,
      onWarning: ({ code, message }) => this.warnings.push(`${code}: ${message}`),
    });
  }

  /** Lets another process work with a module; `group`: as leader of a process group and session. */
  start(work: ModuleWork, { group = false } = {}): ChildProcess {
    const child = spawn(process.execPath, [WORKER, JSON.stringify({ options: this.options, ...work })], {
      stdio: ["ignore", "pipe", "inherit"],
      detached: group,
    });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    return child;
  }

  /** Contents of a container's log, with the older files before the newest. */
  log(name: string): string {
    const path = join(this.folder, "log", this.ns, `${name}.log`);
    const files = [3, 2, 1].map((age) => `${path}.${age}`).filter((file) => existsSync(file));
    return [...files, path].map((file) => readFileSync(file, "utf8")).join("");
  }

  /** Process id of a container's shim. */
  shimPid(name: string): number {
    return this.#readState(name).shimPid;
  }

  /** A file of a container's directory. */
  file(name: string, file: string): string {
    return join(this.folder, "state/containers", this.ns, name, file);
  }

  /** What is left of containers: files, mounts, cgroups, networks, and processes that have this place in their arguments. */
  leftovers(): string[] {
    const folders = ["state/containers", "state/staging", "state/trash", "run/containers", "run/runtime"];
    const files = folders.flatMap((path) => list(join(this.folder, path)).map((name) => join(path, name)));
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    return [
      ...files.map((path) => `file: ${path}`),
      ...mounts.filter((line) => line.includes(this.folder)).map((line) => `mount: ${line}`),
      ...findCgroups(`husk-module/ns-${this.ns}`).map((path) => `cgroup: ${path}`),
      ...findNetworks()
        .filter((path) => !this.#networks.includes(path) && !path.startsWith(NAMESPACES))
        .map((path) => `network: ${path}`),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#killChildren();
    const module = await this.open();
    const left = await module.list();
    for (const { ours, id } of left) await module.delete(ours.ns, id, { graceMs: 0 });
    const leaks = this.leftovers();
    // A shim is told to end, and does so after it has said so.
    await untilNoneLeft(this.folder, ENDING_MS);
    for (const { pid, command } of findProcesses(this.folder)) {
      leaks.push(`process ${pid}: ${command}`);
      process.kill(pid, "SIGKILL");
    }
    if (!leaks.some((leak) => leak.startsWith("mount")))
      rmSync(this.folder, { recursive: true, force: true });
    const forgotten = left.map(({ id }: ContainerInfo) => `container: ${id}`);
    if (leaks.length + forgotten.length > 0)
      throw new Error(`left behind:\n${[...forgotten, ...leaks].join("\n")}`);
  }

  #readState(name: string) {
    return JSON.parse(readFileSync(this.file(name, "state.json"), "utf8"));
  }

  #killChildren(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }
}

/** Of version 1, each controller has a tree of its own. */
function findCgroups(name: string): string[] {
  const root = "/sys/fs/cgroup";
  return ["", ...list(root)].map((tree) => join(root, tree, name)).filter((path) => existsSync(path));
}

function list(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

function needsRoot(): string | false {
  return process.geteuid?.() !== 0 && "SKIPPED: needs root (namespaces, mounts); run the tests as root";
}

function findMissing(runtime: string): string | false {
  const isThere = spawnSync(runtime, ["--version"]).status === 0;
  return needsRoot() || (!isThere && `SKIPPED: ${runtime} is missing: apt-get install ${runtime}`);
}
