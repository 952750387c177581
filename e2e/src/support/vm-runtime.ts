import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OciMount, OciProcess, OciSpec } from "@husk/virtcontainers";
import { DEMO_ROOTFS, VM_RUNTIME } from "./places.ts";
import type { HuskResult, RunningHusk, StartOptions, Workplace } from "./workplace.ts";

const QUIET = ["nosuid", "noexec", "nodev"];

/** A shell script as a process. */
export function shell(script: string, more: Partial<OciProcess> = {}): OciProcess {
  return { args: ["sh", "-c", script], cwd: "/", env: ["PATH=/bin"], user: { uid: 0, gid: 0 }, ...more };
}

/** A bundle's specification, as the container module writes them. */
export function specOf(process: OciProcess, mounts: readonly OciMount[] = [], netNSPath?: string): OciSpec {
  return {
    ociVersion: "1.0.2",
    process,
    root: { path: DEMO_ROOTFS, readonly: false },
    hostname: "box",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: QUIET },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755"] },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: [...QUIET, "ro"] },
      ...mounts,
    ],
    linux: {
      cgroupsPath: "/husk-module/test/box",
      namespaces: [
        ...(["pid", "ipc", "uts", "mount", "cgroup"] as const).map((type) => ({ type })),
        { type: "network", ...(netNSPath === undefined ? {} : { path: netNSPath }) },
      ],
      resources: { devices: [{ allow: false, access: "rwm" }] },
      maskedPaths: ["/proc/kcore"],
      readonlyPaths: ["/proc/sys"],
    },
  };
}

/** A container that has been created: what comes by its streams is the container's own. */
export interface CreatedContainer extends RunningHusk {
  /** process id of what stands for it on the host */
  readonly pid: number;
}

/** `husk-vm-runtime` in a test's own state directory, called as the shims of the container module call it. */
export class VmRuntime {
  readonly #place: Workplace;
  readonly #log: string;
  #files = 0;

  constructor(place: Workplace) {
    this.#place = place;
    this.#log = join(place.folder, "runtime.log");
  }

  /** Writes a bundle. @returns its folder */
  writeBundle(spec: OciSpec): string {
    const folder = this.path("bundle");
    mkdirSync(folder);
    writeFileSync(join(folder, "config.json"), JSON.stringify(spec));
    return folder;
  }

  /** A path of a file that is not there yet. */
  path(name: string): string {
    return join(this.#place.folder, `${name}${this.#files++}`);
  }

  /** The file of a process for `exec`. */
  writeProcess(process: OciProcess): string {
    const path = this.path("process");
    writeFileSync(path, JSON.stringify(process));
    return path;
  }

  /** Starts a command; its stdin stays open. */
  start(args: readonly string[], env: Record<string, string> = {}): RunningHusk {
    return this.startBy([], args, env);
  }

  /** Starts a command by another one, which is put before it. */
  startBy(before: readonly string[], args: readonly string[], env: Record<string, string>): RunningHusk {
    const words = ["--root", this.#place.root, "--log", this.#log, "--log-format", "json", ...args];
    const [program = "", ...rest] = [...before, process.execPath, VM_RUNTIME, ...words];
    return this.#place.startProgram(program, rest, env);
  }

  /** Runs a command to its end. */
  run(args: readonly string[], { input = "" }: StartOptions = {}): Promise<HuskResult> {
    const running = this.start(args);
    running.child.stdin.end(input);
    return running.ended;
  }

  /** Runs a command that must succeed. @returns what it printed */
  async do(...args: string[]): Promise<string> {
    const { status, stdout } = await this.run(args);
    assert.equal(status, 0, `${args.join(" ")}: ${this.takeErrors().join("; ")}`);
    return stdout.toString();
  }

  /** Runs a command that must fail. @returns the errors in its log */
  async fail(...args: string[]): Promise<string> {
    const { status, stderr } = await this.run(args);
    assert.equal(status, 1, args.join(" "));
    // With a log, stderr is the container's.
    assert.equal(stderr, "");
    return this.takeErrors().join("\n");
  }

  /** Creates a container, which then waits. Its stdin is that of the call, and is closed. */
  async create(id: string, spec: OciSpec, env: Record<string, string> = {}): Promise<CreatedContainer> {
    const pidFile = this.path("pid");
    const args = ["create", "--bundle", this.writeBundle(spec), "--pid-file", pidFile, id];
    const running = this.start(args, env);
    running.child.stdin.end();
    const [status] = await once(running.child, "exit");
    assert.equal(status, 0, this.takeErrors().join("; "));
    return { ...running, pid: Number(readFileSync(pidFile, "latin1")) };
  }

  /** Creates and starts one. */
  async runContainer(id: string, spec: OciSpec, env: Record<string, string> = {}): Promise<CreatedContainer> {
    const created = await this.create(id, spec, env);
    await this.do("start", id);
    return created;
  }

  async state(id: string): Promise<{ status: string; pid?: number; bundle: string }> {
    return JSON.parse(await this.do("state", id));
  }

  /** How the container's process ended, as its shim has left it. */
  exitOf(id: string): unknown {
    const path = join(this.#place.root, "pods", id, "containers", id, "exit.json");
    const { time: _, ...exit } = JSON.parse(readFileSync(path, "utf8"));
    return exit;
  }

  /** Messages in the log, which is empty then. */
  takeErrors(): string[] {
    if (!existsSync(this.#log)) return [];
    const lines = readFileSync(this.#log, "utf8").trimEnd().split("\n");
    rmSync(this.#log);
    return lines.map((line) => {
      const { level, msg } = JSON.parse(line);
      return level === "error" ? msg : `${level}: ${msg}`;
    });
  }
}
