/** Shims of the test program `fake-shim`: what their links are told and tell is the test's. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buildProgram } from "@husk/tiny/build";

const CONTROL_FD = 3;
const DEADLINE_MS = 30_000;

/** What a link tells. */
export type Report = Record<string, unknown>;

/** Test programs that were built into a folder. */
export class TestPrograms {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async build(...names: string[]): Promise<TestPrograms> {
    const folder = await mkdtemp(join(tmpdir(), "husk-shim-"));
    for (const name of names) {
      const entry = join(import.meta.dirname, "../programs", `${name}.ts`);
      await buildProgram({ entry, output: join(folder, name) });
    }
    return new TestPrograms(folder);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** How a shim is started. */
export interface FakeShimOptions {
  /** its flags, those of kata-shim */
  flags?: string[];
  /** path of the socket on which it is to listen */
  attachPath?: string;
  /** program that runs it, with its path and arguments behind its own */
  runner?: string[];
  /** its stdin, stdout and stderr; pipes by default */
  stdio?: SpawnOptions["stdio"];
}

/** A shim that runs. */
export class FakeShim {
  readonly process: ChildProcess;
  /** resolves with its exit code, or the name of the signal that killed it */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  readonly #control: Socket;
  readonly #reports: Report[] = [];
  #wake: (() => void) | undefined;

  constructor(programs: TestPrograms, options: FakeShimOptions = {}) {
    const { flags = [], attachPath = "-", runner = [], stdio = ["pipe", "pipe", "pipe"] } = options;
    const argv = [...runner, programs.path("fake-shim"), String(CONTROL_FD), attachPath, ...flags];
    const [program = "", ...args] = argv;
    this.process = spawn(program, args, {
      stdio: [...(stdio as [])].concat("pipe" as never),
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
    });
    this.ended = once(this.process, "exit").then(([code, signal]) => signal ?? code);
    this.#control = this.process.stdio[CONTROL_FD] as Socket;
    this.#control.on("error", () => {});
    createInterface(this.#control).on("line", (line) => {
      this.#reports.push(JSON.parse(line) as Report);
      this.#wake?.();
    });
  }

  /** Tells the link what to do. */
  order(...orders: object[]): void {
    for (const order of orders) this.#control.write(`${JSON.stringify(order)}\n`);
  }

  /** The next report that has a key. Others before it are kept. */
  async next(key: string): Promise<Report> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const at = this.#reports.findIndex((report) => key in report);
      const [report] = at < 0 ? [] : this.#reports.splice(at, 1);
      if (report) return report;
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.onabort = () => reject(new Error(`no "${key}" among ${JSON.stringify(this.#reports)}`));
      });
    }
  }

  /** Reports that nobody has asked for. */
  get rest(): readonly Report[] {
    return this.#reports;
  }

  /** What is read on one of its streams, as text, to its end. */
  async readAll(name: "stdout" | "stderr"): Promise<string> {
    let text = "";
    for await (const chunk of this.process[name] as AsyncIterable<Buffer>) text += chunk.toString();
    return text;
  }

  [Symbol.dispose](): void {
    this.process.kill("SIGKILL");
    this.#control.destroy();
  }
}
