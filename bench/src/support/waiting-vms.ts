import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { FactoryConfig } from "@husk/virtcontainers";
import type { BenchPlace } from "./bench-place.ts";

const WORKER = join(import.meta.dirname, "cache-worker.ts");

/** VMs that wait for the benchmark's pods, kept by a process of its own. */
export class WaitingVms implements AsyncDisposable {
  /** how pods ask for them */
  readonly factory: FactoryConfig;
  readonly #worker: ChildProcess;
  /** what it says, line by line */
  readonly #lines: AsyncIterator<string>;

  private constructor(place: BenchPlace, name: string, config: FactoryConfig) {
    const vmCacheEndpoint = join(place.folder, `${name}.sock`);
    this.factory = { ...config, vmCacheEndpoint };
    const served = JSON.stringify(this.factory);
    this.#worker = spawn(process.execPath, [WORKER, place.folder, served], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const { stdout } = this.#worker;
    if (!stdout) throw new Error("the worker has no output");
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** Starts their keeper, which then begins to make them. */
  static async keep(place: BenchPlace, name: string, config: FactoryConfig): Promise<WaitingVms> {
    const vms = new WaitingVms(place, name, config);
    await vms.#nextLine();
    return vms;
  }

  /** Waits until all of them wait, once more. @throws Error when their keeper has ended */
  async full(): Promise<void> {
    await this.#nextLine();
  }

  async #nextLine(): Promise<void> {
    const { done } = await this.#lines.next();
    if (done) throw new Error("the keeper of the VMs has ended");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#worker.exitCode !== null || this.#worker.signalCode !== null) return;
    const gone = once(this.#worker, "exit");
    this.#worker.kill("SIGTERM");
    await gone;
  }
}
