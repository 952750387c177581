/** The pod: the namespaces that its containers share, and the containers. Reference: seed 001; hyperstart.md 4. */

import { SIGTERM, startTimer, stopTimer } from "@husk/tiny";
import { Container } from "./container.ts";
import type { ContainerPlan } from "./container-plan.ts";
import { type PodFiles, removePodFiles, writeHosts, writePodFiles } from "./pod-files.ts";
import type { Attachment } from "./process.ts";
import { Sandbox } from "./sandbox.ts";

/** Milliseconds between the request to end and the end, for a container that does not listen. */
const GRACE_MS = 5000;
/** Milliseconds that a host has to read the last output of containers that have ended. */
const LAST_OUTPUT_MS = 1000;

/** Waits for `done`, but not for longer than the deadline. */
function withDeadline(done: Promise<unknown>, deadlineMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = startTimer(deadlineMs, resolve);
    void done.then(() => {
      stopTimer(timer);
      resolve();
    });
  });
}

/** See the head of the file. */
export class Pod {
  readonly #sandbox: Sandbox;
  readonly #hostname: string;
  readonly #containers = new Map<string, Container>();
  /** ids of containers that are being made */
  readonly #making = new Set<string>();

  private constructor(sandbox: Sandbox, hostname: string) {
    this.#sandbox = sandbox;
    this.#hostname = hostname;
  }

  /** Makes the sandbox. */
  static async start(files: PodFiles): Promise<Pod> {
    const sandbox = await Sandbox.start();
    try {
      if (files.hostname) sandbox.init.setHostname(files.hostname);
      writePodFiles(files);
      return new Pod(sandbox, files.hostname);
    } catch (error) {
      removePodFiles();
      await sandbox.end();
      throw error;
    }
  }

  /**
   * Sets a container up, whose first process is held.
   *
   * @throws Error when the id is in use, or it cannot be set up
   */
  async createContainer(plan: ContainerPlan, attachment: Attachment): Promise<Container> {
    if (this.knows(plan.id) || this.#making.has(plan.id))
      throw new Error(`container "${plan.id}" is there already`);
    this.#making.add(plan.id);
    try {
      writeHosts(this.#hostname);
      const container = await Container.create(plan, this.#sandbox.init, attachment);
      this.#containers.set(plan.id, container);
      return container;
    } finally {
      this.#making.delete(plan.id);
    }
  }

  /** Whether there is a container of this id. */
  knows(id: string): boolean {
    return this.#containers.has(id);
  }

  /** A container by its id, if there is one. */
  find(id: string): Container | undefined {
    return this.#containers.get(id);
  }

  /** A container by its id. @throws Error when there is none */
  container(id: string): Container {
    const container = this.#containers.get(id);
    if (!container) throw new Error(`no such container: "${id}"`);
    return container;
  }

  /** All containers. */
  containers(): Container[] {
    return [...this.#containers.values()];
  }

  /** Forgets a container, when nothing of it is left. @throws Error when there is none, or it runs */
  async remove(id: string): Promise<void> {
    const container = this.container(id);
    if (container.running) throw new Error(`container "${id}" is running`);
    await container.freed;
    this.forget(container);
  }

  /** Forgets a container of which nothing is left. */
  forget(container: Container): void {
    if (this.#containers.get(container.id) === container) this.#containers.delete(container.id);
  }

  /** Ends every container, those that do not listen by force after a grace, then the sandbox. */
  async end(): Promise<void> {
    const containers = this.containers();
    for (const container of containers) {
      if (!container.running) continue;
      container.signal(SIGTERM, true);
      // One that is paused would not hear it.
      if (container.cgroup.frozen) void container.cgroup.thaw();
    }
    const grace = startTimer(GRACE_MS, () => {
      for (const container of containers) container.kill();
    });
    await Promise.all(containers.map((container) => container.empty()));
    stopTimer(grace);
    await withDeadline(Promise.all(containers.map((container) => container.freed)), LAST_OUTPUT_MS);
    removePodFiles();
    await this.#sandbox.end();
  }
}
