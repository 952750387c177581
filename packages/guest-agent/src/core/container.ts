/** A container: a mount namespace and a cgroup of its own in the pod's namespaces, and the processes in it. */

import * as sys from "tiny:sys";
import { CLONE_NEWNS, Errno, hasErrno, O_CLOEXEC } from "@husk/tiny";
import type { Container as ContainerSpec, Process as ProcessSpec } from "@husk/wire/hyperstart";
import { log } from "../log.ts";
import { Cgroup } from "./cgroup/cgroup.ts";
import { constrainedResources } from "./cgroup/constraints.ts";
import { makeContainerFolders, removeContainerFolders } from "./container-folders.ts";
import { type ContainerPlan, enterContainer, planContainer } from "./container-plan.ts";
import type { Shares } from "./mounts/shares.ts";
import { containerPaths } from "./paths.ts";
import type { PodInit } from "./pod-init.ts";
import { type Place, Process, type ProcessEvents } from "./process.ts";
import type { StreamChannel } from "./stream-channel.ts";

/** What a container is started in, and whom it tells. */
export interface ContainerContext {
  init: PodInit;
  hostname: string;
  shares: Shares;
  streams: StreamChannel;
  /** told of every process that has ended */
  onExited(containerId: string, processId: string, code: number): void;
  /** told when all the output of a process that has ended is sent, and its end */
  onReleased(stdio: number, code: number): void;
}

/** See the head of the file. */
export class Container {
  readonly id: string;
  /** Resolves when its first process and all others are gone and nothing of it is left. */
  readonly freed: Promise<void>;
  readonly #context: ContainerContext;
  readonly #cgroup: Cgroup;
  readonly #processes = new Map<string, Process>();
  #mountNamespace = -1;
  #init: Process | undefined;
  #free: () => void = () => {};

  private constructor(id: string, context: ContainerContext) {
    this.id = id;
    this.#context = context;
    this.#cgroup = new Cgroup(`husk/${id}`);
    this.freed = new Promise((resolve) => {
      this.#free = resolve;
    });
  }

  /** Sets the container up and starts its first process. What a failure leaves is undone. */
  static async start(spec: ContainerSpec, context: ContainerContext): Promise<Container> {
    const plan = await planContainer(spec, context.shares);
    const container = new Container(spec.id, context);
    try {
      if (spec.constraints) container.#cgroup.limit(constrainedResources(spec.constraints));
      makeContainerFolders(spec.id);
      await container.#startInit(plan);
      return container;
    } catch (error) {
      await container.#cleanUp();
      throw error;
    }
  }

  async #startInit(plan: ContainerPlan): Promise<void> {
    const { spec } = plan;
    const place: Place = {
      ...this.#place(),
      namespaces: CLONE_NEWNS,
      makeWorkdir: spec.initialize && !spec.readOnly,
      hasConsole: true,
      enter: () => {
        this.#cgroup.joinSelf();
        this.#context.init.enter();
        enterContainer(plan);
      },
    };
    this.#init = await this.#start(spec.process, place, (pid) => {
      this.#mountNamespace = sys.open(`/proc/${pid}/ns/mnt`, O_CLOEXEC, 0);
    });
  }

  /** Starts one more process. @throws Error when one of this id is there, or it cannot be started */
  async exec(spec: ProcessSpec): Promise<Process> {
    if (!this.running) throw new Error(`container "${this.id}" is not running`);
    if (this.#processes.has(spec.id)) throw new Error(`process id "${spec.id}" is in use`);
    return this.#start(spec, {
      ...this.#place(),
      namespaces: 0,
      makeWorkdir: false,
      hasConsole: false,
      enter: () => {
        this.#cgroup.joinSelf();
        this.#context.init.enter();
        this.enterRoot();
      },
    });
  }

  get running(): boolean {
    return this.#init !== undefined && !this.#init.exited;
  }

  /** The first process. */
  get init(): Process {
    if (!this.#init) throw new Error(`container "${this.id}" has not been started`);
    return this.#init;
  }

  /** A process by its id. */
  process(id: string): Process | undefined {
    return this.#processes.get(id);
  }

  /** The process of a stream. */
  processOfStream(stdio: number): Process | undefined {
    return [...this.#processes.values()].find((process) => process.stdio === stdio);
  }

  /** Sends a signal to the first process, or to all. */
  signal(signal: number, all: boolean): void {
    if (!this.running) throw new Error("no such process");
    if (all) this.#cgroup.signal(signal);
    else sys.kill(this.init.pid, signal);
  }

  /** Its processes, as the agent sees them. */
  pids(): number[] {
    return this.#cgroup.pids();
  }

  /** In a child: makes the container's root its own. */
  enterRoot(): void {
    sys.setns(this.#mountNamespace, CLONE_NEWNS);
  }

  /** Resolves when no process is left in it, be their output read or not. */
  empty(): Promise<void> {
    return this.#cgroup.empty();
  }

  /** Kills all that runs in it. */
  kill(): void {
    this.#cgroup.kill();
  }

  #place(): Pick<Place, "hostname" | "devpts" | "pidNamespace"> {
    return {
      hostname: this.#context.hostname,
      devpts: containerPaths(this.id).pts,
      pidNamespace: this.#context.init.pidNamespace,
    };
  }

  async #start(spec: ProcessSpec, place: Place, forked?: (pid: number) => void): Promise<Process> {
    const events: ProcessEvents = {
      onExited: (code) => {
        this.#context.onExited(this.id, spec.id, code);
        // With the first process the container ends, whoever else is in it.
        if (process === this.#init) this.kill();
      },
      onReleased: (code) => {
        this.#context.onReleased(spec.stdio, code);
        this.#processes.delete(spec.id);
        if (this.#processes.size === 0 && !this.running) void this.#cleanUp();
      },
    };
    const process: Process = await Process.start(spec, place, this.#context.streams, events, forked);
    this.#processes.set(spec.id, process);
    return process;
  }

  async #cleanUp(): Promise<void> {
    await this.#cgroup.empty();
    this.#cgroup.remove();
    if (this.#mountNamespace !== -1) sys.close(this.#mountNamespace);
    try {
      removeContainerFolders(this.id);
    } catch (error) {
      if (!hasErrno(error, Errno.ENOENT)) log("error", `container ${this.id}: ${error}`);
    }
    this.#free();
  }
}
