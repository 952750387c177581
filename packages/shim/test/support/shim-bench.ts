import { mkdtempSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { buildProgram } from "@husk/tiny/build";
import type { ShimPlan } from "@husk/wire/module-shim";
import { type Commands, TestContainer } from "./container.ts";
import { shellCommands, writeShellRuntime } from "./shell-runtime.ts";

/** A built module-shim, and a folder for containers. */
export class ShimBench {
  readonly folder: string;
  readonly program: string;
  #made = 0;

  private constructor(folder: string, program: string) {
    this.folder = folder;
    this.program = program;
  }

  static async build(): Promise<ShimBench> {
    const folder = mkdtempSync(join(tmpdir(), "husk-modshim-"));
    const entry = join(import.meta.dirname, "../programs/module-shim.ts");
    const { output } = await buildProgram({ entry, output: join(folder, "module-shim") });
    return new ShimBench(folder, output);
  }

  /** A container that is a shell script, removed with the test. */
  async shell(test: TestContext, script: string, changes: Partial<ShimPlan> = {}): Promise<TestContainer> {
    const folder = this.nextFolder();
    await mkdir(folder);
    await writeShellRuntime(folder, script);
    return this.container(test, folder, shellCommands(folder), changes);
  }

  /** A container of any runtime; `runner` runs the shim. */
  async container(
    test: TestContext,
    folder: string,
    commands: Commands,
    changes: Partial<ShimPlan> = {},
    runner: readonly string[] = [],
  ): Promise<TestContainer> {
    const argv = [...runner, this.program];
    const container = await TestContainer.make(folder, argv, commands, changes);
    test.after(() => container.remove());
    return container;
  }

  nextFolder(): string {
    return join(this.folder, `c${++this.#made}`);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
