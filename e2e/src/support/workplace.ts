import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CallOptions, HypervisorConfig } from "@husk/virtcontainers";
import { CollectedOutput } from "./collected-output.ts";
import { findLeaks, findNetworks, findProcesses } from "./leaks.ts";
import { DEMO_ROOTFS, HUSK, INITRAMFS, KERNEL } from "./places.ts";
import { noteSaid } from "./said.ts";

/** How a husk that has ended did so. */
export interface HuskResult {
  /** exit status; -1 when a signal ended it */
  status: number;
  stdout: Buffer;
  /** as text, trailing newline and all */
  stderr: string;
}

/** A husk that may still run. */
export interface RunningHusk {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: CollectedOutput;
  readonly stderr: CollectedOutput;
  /** settles when it has ended and its output is complete */
  readonly ended: Promise<HuskResult>;
}

/** What is given to a husk that is started. */
export interface StartOptions {
  /** all of its stdin; default: nothing */
  input?: Buffer | string;
  /** more environment */
  env?: Record<string, string>;
}

/**
 * A state directory of its own for one test. Disposing of it fails the test when anything is left: a process,
 * a mount, a socket, a file. It also removes what is left, so that the next test starts clean.
 */
export class Workplace implements AsyncDisposable {
  /** folder of everything that belongs to the test; short, so that the sockets' paths stay below 108 bytes */
  readonly folder: string;
  /** state directory */
  readonly root: string;
  /** cache directory */
  readonly cache: string;
  /** fires when the test's time is up */
  readonly signal: AbortSignal | undefined;
  readonly #networks = findNetworks();
  readonly #children = new Set<ChildProcessWithoutNullStreams>();

  private constructor(folder: string, signal: AbortSignal | undefined) {
    this.folder = folder;
    this.root = join(folder, "s");
    this.cache = join(folder, "cache");
    this.signal = signal;
    signal?.addEventListener("abort", () => this.#killChildren());
  }

  /**
   * Makes the folders of a test.
   * @param signal fires when the test's time is up; then whatever it still waits for is killed
   * @throws Error when the build is not there: a test that cannot run never passes
   */
  static async create(signal?: AbortSignal): Promise<Workplace> {
    for (const file of [HUSK, KERNEL, INITRAMFS]) {
      if (!existsSync(file)) throw new Error(`${file} is missing: npm run setup makes it`);
    }
    return new Workplace(await mkdtemp("/tmp/h-"), signal);
  }

  /** The options for calls of the library. */
  get options(): CallOptions {
    return { root: this.root, cache: this.cache };
  }

  /** The VM for calls of the library. */
  get hypervisorConfig(): HypervisorConfig {
    return { kernelPath: KERNEL, imagePath: INITRAMFS };
  }

  /** A root file system that may be written to: the demo's is used by others at the same time. */
  async copyRootfs(name = "root"): Promise<string> {
    const rootFs = join(this.folder, name);
    await cp(DEMO_ROOTFS, rootFs, { recursive: true, verbatimSymlinks: true });
    return rootFs;
  }

  /** Starts husk as users do, and waits until it ends. */
  husk(args: readonly string[], options: StartOptions = {}): Promise<HuskResult> {
    const running = this.start(args);
    running.child.stdin.end(options.input ?? "");
    return running.ended;
  }

  /** The same with more environment. */
  huskWith(env: Record<string, string>, args: readonly string[]): Promise<HuskResult> {
    const running = this.start(args, env);
    running.child.stdin.end();
    return running.ended;
  }

  /** Starts husk; its stdin stays open. */
  start(args: readonly string[], env: Record<string, string> = {}): RunningHusk {
    return this.startProgram(process.execPath, [HUSK, ...args], env);
  }

  /** Starts any program with the test's environment. */
  startProgram(program: string, args: readonly string[], env: Record<string, string> = {}): RunningHusk {
    const places = { HUSK_ROOT: this.root, HUSK_CACHE: this.cache };
    const child = spawn(program, args, { env: { ...process.env, ...places, ...env } });
    this.#children.add(child);
    // A husk that ends without reading its input breaks the pipe.
    child.stdin.on("error", () => {});
    const stdout = new CollectedOutput(child.stdout);
    const stderr = new CollectedOutput(child.stderr);
    const ended = new Promise<HuskResult>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => {
        this.#children.delete(child);
        const result = { status: status ?? -1, stdout: stdout.bytes(), stderr: stderr.text() };
        noteSaid([program, ...args], result.status, result.stderr);
        resolve(result);
      });
    });
    return { child, stdout, stderr, ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const unfinished = [...this.#children].map((child) => `husk still runs: ${child.spawnargs.join(" ")}`);
    const leaks = [...unfinished, ...findLeaks(this.root, this.#networks)];
    this.#killChildren();
    // Only processes that carry this test's own state directory.
    for (const { pid } of findProcesses(this.root)) killQuietly(pid);
    await rm(this.folder, { recursive: true, force: true });
    if (leaks.length > 0) throw new Error(`left behind:\n${leaks.join("\n")}`);
  }

  #killChildren(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}
