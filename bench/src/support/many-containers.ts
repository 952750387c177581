import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ContainerModule, type ModuleOptions, openContainerModule } from "@husk/container-module";
import type { BenchPlace } from "./bench-place.ts";
import { DEMO_ROOTFS, RESIDENTS } from "./places.ts";

const NS = "bench";
/** Containers that are started or deleted at the same time. */
const AT_ONCE = 4;
const WORKER = join(import.meta.dirname, "module-open-worker.ts");
/** Nothing that ends is started again. */
const RESTART = { limit: 0, delayMs: 0, stableMs: 0 };

/** How long a process that has just begun takes to find all containers. */
interface Opening {
  readonly running: number;
  /** milliseconds */
  readonly openMs: number;
  /** milliseconds */
  readonly listMs: number;
}

/** Containers of a module by runc, for the benchmark. */
export class ManyContainers implements AsyncDisposable {
  readonly #options: ModuleOptions;
  readonly #module: ContainerModule;
  readonly #names: string[] = [];

  private constructor(options: ModuleOptions, module: ContainerModule) {
    this.#options = options;
    this.#module = module;
  }

  static async open({ folder }: BenchPlace): Promise<ManyContainers> {
    const options: ModuleOptions = {
      shim: join(RESIDENTS, "module-shim"),
      backend: "oci",
      stateRoot: join(folder, "state"),
      runRoot: join(folder, "run"),
      logRoot: join(folder, "log"),
    };
    return new ManyContainers(options, await openContainerModule(options));
  }

  /** Starts more of them. @returns milliseconds of each start */
  async start(count: number, args: readonly string[]): Promise<number[]> {
    const times: number[] = [];
    const rest = Array.from({ length: count }, (_, index) => `c${this.#names.length + index}`);
    this.#names.push(...rest);
    await atOnce(rest, async (name) => {
      const begin = performance.now();
      await this.#module.run(NS, name, DEMO_ROOTFS, [], [], undefined, [], args, { restart: RESTART });
      times.push(performance.now() - begin);
    });
    return times;
  }

  /** Finds them by a module of another process. */
  async reopen(): Promise<Opening> {
    const { stdout } = await promisify(execFile)(process.execPath, [WORKER, JSON.stringify(this.#options)]);
    return JSON.parse(stdout);
  }

  /** Process ids of their shims. */
  shims(): number[] {
    const states = join(this.#options.stateRoot ?? "", "containers", NS);
    return this.#names.map(
      (name) => JSON.parse(readFileSync(join(states, name, "state.json"), "utf8")).shimPid,
    );
  }

  /** What all of them have written, when each has written its last line. */
  logs(last: string): Promise<string[]> {
    return Promise.all(this.#names.map((name) => this.#readUntil(name, last)));
  }

  async #readUntil(name: string, last: string): Promise<string> {
    let log = "";
    for await (const data of this.#module.logs(NS, name, { follow: true })) {
      log += Buffer.from(data).toString();
      if (log.endsWith(last)) break;
    }
    return log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await atOnce(this.#names, (name) => this.#module.delete(NS, name, { graceMs: 0 }));
  }
}

async function atOnce(names: readonly string[], work: (name: string) => Promise<unknown>): Promise<void> {
  const rest = names[Symbol.iterator]();
  const worker = async () => {
    for (const name of rest) await work(name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
