/** Containers under module shims, for tests: a folder with all that the module would have made, and the shims that were started. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import {
  parseShimState,
  parseStartReport,
  type ShimPlan,
  type ShimState,
  type StartReport,
} from "@husk/wire/module-shim";
import { waitUntil } from "./wait-until.ts";

const DEADLINE_MS = 60_000;

/** What a runtime's commands are, given the folder of a container. */
export type Commands = Pick<ShimPlan, "create" | "start" | "kill" | "delete" | "exec" | "execTerminal">;

/** A shim that was started. */
export interface StartedShim {
  process: ChildProcess;
  /** its line; undefined when it said none */
  report: Promise<StartReport | undefined>;
}

/** See the head of the file. */
export class TestContainer {
  readonly folder: string;
  readonly plan: ShimPlan;
  /** the shim's program, and what it is run by */
  readonly #argv: readonly string[];
  readonly #shims: ChildProcess[] = [];

  private constructor(folder: string, argv: readonly string[], plan: ShimPlan) {
    this.folder = folder;
    this.#argv = argv;
    this.plan = plan;
  }

  /** Makes the folder and the plan. */
  static async make(
    folder: string,
    argv: readonly string[],
    commands: Commands,
    changes: Partial<ShimPlan> = {},
  ): Promise<TestContainer> {
    await mkdir(folder, { recursive: true });
    const at = (name: string) => join(folder, name);
    const plan: ShimPlan = {
      version: 1,
      ns: "test",
      name: "web",
      runtimeId: "test-web",
      bundle: folder,
      ...commands,
      environment: [`PATH=${process.env.PATH}`],
      pidFile: at("pid"),
      runtimeLog: at("runtime.log"),
      stdout: at("output"),
      stderr: at("output"),
      log: { path: at("log"), maxBytes: 1 << 30, maxFiles: 3 },
      state: at("state.json"),
      lock: at("lock"),
      socket: at("sock"),
      deleting: at("deleting"),
      restart: { limit: 0, delayMs: 50, windowMs: 60_000 },
      commandTimeoutMs: 30_000,
      ...changes,
    };
    await writeFile(at("plan.json"), JSON.stringify(plan));
    return new TestContainer(folder, argv, plan);
  }

  /** Starts a shim as the module does. */
  startShim(): StartedShim {
    const [program = "", ...args] = [...this.#argv, join(this.folder, "plan.json")];
    const process = spawn(program, args, {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#shims.push(process);
    const report = buffer(process.stdout).then((line) =>
      line.length === 0 ? undefined : parseStartReport(line),
    );
    return { process, report };
  }

  /** Starts a shim whose container is to run then. */
  async run(): Promise<ChildProcess> {
    const { process, report } = this.startShim();
    const found = await report;
    if (!found || "error" in found) throw new Error(`the shim said ${JSON.stringify(found)}`);
    return process;
  }

  async readState(): Promise<ShimState> {
    return parseShimState(await readFile(this.plan.state));
  }

  /** The state, as soon as it is one. */
  whenState(state: ShimState["state"], also: (state: ShimState) => boolean = () => true): Promise<ShimState> {
    return waitUntil(
      this.folder,
      async () => {
        const found = await this.readState().catch(() => undefined);
        return found?.state === state && also(found) ? found : undefined;
      },
      () => `${this.folder} did not become ${state}`,
      DEADLINE_MS,
    );
  }

  /** Waits until the log has a text, which the container's process has written by then. */
  async whenLogged(text: string): Promise<void> {
    await waitUntil(
      this.folder,
      async () => ((await this.readLog()).includes(text) ? true : undefined),
      () => `${this.folder} did not log ${JSON.stringify(text)}`,
      DEADLINE_MS,
    );
  }

  readLog(age = 0): Promise<string> {
    return readFile(age === 0 ? this.plan.log.path : `${this.plan.log.path}.${age}`, "utf8");
  }

  /** Ends all shims, and what is left of the container. */
  async remove(): Promise<void> {
    for (const shim of this.#shims) {
      if (shim.exitCode !== null || shim.signalCode !== null) continue;
      shim.kill("SIGKILL");
      await once(shim, "exit");
    }
    const [program = "", ...args] = [...this.#argv.slice(0, -1), ...this.plan.delete];
    const child = spawn(program, args, { stdio: "ignore" });
    await once(child, "exit");
    await rm(this.folder, { recursive: true, force: true });
  }
}
