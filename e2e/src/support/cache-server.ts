import assert from "node:assert/strict";
import { statusVmCache, type VmCacheStatus } from "@husk/virtcontainers";
import type { RunningHusk, Workplace } from "./workplace.ts";

/**
 * A server of VMs that wait, as users start it. Disposing of it lets it end in order, and fails the test when it does not; what it had
 * of templates goes, too.
 */
export class CacheServer implements AsyncDisposable {
  readonly running: RunningHusk;
  readonly #place: Workplace;
  #readies = 0;

  private constructor(place: Workplace, running: RunningHusk) {
    this.#place = place;
    this.running = running;
  }

  /** Starts one; it may not listen yet. */
  static start(place: Workplace, args: readonly string[] = []): CacheServer {
    return new CacheServer(place, place.start(["cache", "serve", ...args]));
  }

  /** Starts one, and waits until all of its VMs wait. */
  static async ready(place: Workplace, args: readonly string[] = []): Promise<CacheServer> {
    const server = CacheServer.start(place, args);
    await server.full();
    return server;
  }

  /** Its process id. */
  get pid(): number {
    assert.ok(this.running.child.pid);
    return this.running.child.pid;
  }

  /** Waits until its pool is full once more since it was last waited for. */
  async full(): Promise<void> {
    this.#readies += 1;
    await this.running.stdout.waitFor(new RegExp(`(^ready: [^]*?){${this.#readies}}`, "m"));
  }

  /** What it tells of itself. */
  status(): Promise<VmCacheStatus> {
    return statusVmCache({}, this.#place.options);
  }

  /** Ends it where it is. */
  async kill(): Promise<void> {
    this.running.child.kill("SIGKILL");
    await this.running.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#end();
    } finally {
      if (this.running.child.spawnargs.includes("--template")) await this.#place.husk(["factory", "destroy"]);
    }
  }

  async #end(): Promise<void> {
    const { child, ended } = this.running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const { status, stderr } = await ended;
    assert.equal(status, 0, stderr);
  }
}
