import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { lockFile, runCommand } from "@husk/virtcontainers/internals";
import { namespaceCgroup } from "../backend/cgroup.ts";
import { openContainerModule } from "../module/open-module.ts";
import type { ModuleOptions } from "../module/options.ts";
import type { ContainerModule } from "../types.ts";

const BUILD = fileURLToPath(new URL("../../../../build/", import.meta.url));
/** A root file system with busybox in it. */
export const BUSYBOX = join(BUILD, "rootfs/busybox");
const SHIM = join(BUILD, "resident/module-shim");

/** For `test()`: a loud reason to leave a test out that starts containers. */
export function needsRuntime(runtime: string): { skip: string | false; timeout: number } {
  const reasons = [
    process.geteuid?.() !== 0 && "needs root",
    spawnSync(runtime, ["--version"]).status !== 0 && `needs ${runtime}: apt-get install ${runtime}`,
    !existsSync(SHIM) && "needs module-shim: npm run setup",
    !existsSync(join(BUSYBOX, "bin")) && "needs busybox's root: npm run setup",
  ];
  const reason = reasons.find((one) => one !== false);
  return { skip: reason ? `SKIPPED: ${reason}` : false, timeout: 120_000 };
}

/** Directories of one test, in which modules are opened; at its end, all their containers are deleted. */
export class ModuleBench {
  /** a namespace that no other test has */
  readonly ns = `t${randomBytes(4).toString("hex")}`;
  readonly base: string;
  readonly warnings: string[] = [];
  readonly #runtime: string;

  constructor(t: TestContext, runtime: string) {
    this.#runtime = runtime;
    this.base = mkdtempSync("/tmp/hm-");
    t.after(() => this.#clear());
  }

  open(options: Partial<ModuleOptions> = {}): Promise<ContainerModule> {
    return openContainerModule({
      ...this.options(),
      onWarning: ({ code, message }) => this.warnings.push(`${code}: ${message}`),
      ...options,
    });
  }

  /** Options of a module in these directories. */
  options(): ModuleOptions {
    return {
      shim: SHIM,
      backend: "oci",
      runtime: this.#runtime,
      stateRoot: join(this.base, "state"),
      runRoot: join(this.base, "run"),
      logRoot: join(this.base, "log"),
      cacheDirectory: join(this.base, "cache"),
    };
  }

  /** Contents of a container's log. */
  log(name: string): string {
    return readFileSync(join(this.base, "log", this.ns, `${name}.log`), "utf8");
  }

  /** A file of a container's directory. */
  place(name: string, file: string): string {
    return join(this.base, "state/containers", this.ns, name, file);
  }

  /** The process of a container's shim. */
  shimPid(name: string): number {
    return JSON.parse(readFileSync(this.place(name, "state.json"), "utf8")).shimPid;
  }

  /** Kills the shim of a container, and waits until it is dead: then its lock is free. */
  async killShim(name: string): Promise<void> {
    process.kill(this.shimPid(name), "SIGKILL");
    (await lockFile(this.place(name, "shim.lock"), { mode: "exclusive" }))?.release();
  }

  /** Makes it so as if the machine had been started again, with no process of these containers. */
  async reboot(names: readonly string[]): Promise<void> {
    rmSync(join(this.base, "run"), { recursive: true, force: true });
    for (const name of names) {
      await runCommand("umount", ["--lazy", this.place(name, "bundle/rootfs")], {});
      const state = readFileSync(this.place(name, "state.json"), "utf8");
      writeFileSync(
        this.place(name, "state.json"),
        state.replace(/"bootId": "[^"]*"/, '"bootId": "another"'),
      );
    }
  }

  /** What is left of containers: their files, mounts and cgroups, and what runtimes know of them. */
  leftovers(): string[] {
    const files = ["state/containers", "state/staging", "state/trash", "run/containers", "run/runtime"];
    const found = files.flatMap((path) => list(join(this.base, path)).map((name) => join(path, name)));
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    return [...found, ...mounts.filter((line) => line.includes(this.base)), ...listCgroups(this.ns)];
  }

  async #clear(): Promise<void> {
    const module = await this.open();
    for (const { ours, id } of await module.list()) await module.delete(ours.ns, id, { graceMs: 0 });
    const left = this.leftovers();
    rmSync(this.base, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left over: ${left.join(", ")}`);
  }
}

/** Of version 1, each controller has a tree of its own. */
function listCgroups(ns: string): string[] {
  const trees = ["", ...list("/sys/fs/cgroup")].map((tree) =>
    join("/sys/fs/cgroup", tree, namespaceCgroup(ns)),
  );
  return trees.filter((path) => existsSync(path));
}

function list(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
