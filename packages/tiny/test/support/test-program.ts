/** Programs made for the tests: TypeScript of `test/programs`, built by the package's own build. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildProgram } from "../../build/index.ts";

/** Milliseconds that a scenario may take before it is killed, which fails its test. */
const DEADLINE_MS = 60_000;

/** How a program ended, and what it wrote. */
export interface Outcome {
  /** exit code; null when a signal killed it */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A built program; its first argument chooses one of its scenarios. */
export class TestProgram {
  readonly path: string;
  readonly #folder: string;

  private constructor(folder: string, path: string) {
    this.#folder = folder;
    this.path = path;
  }

  /** Builds `test/programs/<name>.ts` into a folder of its own. */
  static async build(name: string): Promise<TestProgram> {
    const folder = await mkdtemp(join(tmpdir(), "husk-tiny-"));
    const entry = join(import.meta.dirname, "..", "programs", `${name}.ts`);
    const { output } = await buildProgram({ entry, output: join(folder, name) });
    return new TestProgram(folder, output);
  }

  /** Runs a scenario to its end. */
  run(scenario: string, ...args: string[]): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(DEADLINE_MS);
      const child = spawn(this.path, [scenario, ...args], { stdio: ["ignore", "pipe", "pipe"], signal });
      let [stdout, stderr] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text;
      });
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
  }

  /** What a scenario that ends well has to say. */
  async report(scenario: string, ...args: string[]): Promise<unknown> {
    const outcome = await this.run(scenario, ...args);
    const { code, signal, stderr } = outcome;
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: "" }, scenario);
    return JSON.parse(outcome.stdout);
  }

  /** Removes it. */
  remove(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}
