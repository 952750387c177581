import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { basename } from "node:path";
import type { FactoryConfig } from "@husk/virtcontainers";
import { findProcesses } from "./leaks.ts";

/** A directory of templates of one test's own; disposing of it fails the test when a VM of a template still runs. */
export class TemplatePlace implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(parent = "/dev/shm"): Promise<TemplatePlace> {
    return new TemplatePlace(await mkdtemp(`${parent}/h-`));
  }

  get factory(): FactoryConfig {
    return { template: true, templatePath: this.path };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = findProcesses(this.path);
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    if (existsSync(this.path)) await rm(this.path, { recursive: true, force: true });
    assert.deepEqual(left, [], `of the templates in ${basename(this.path)}`);
  }
}
