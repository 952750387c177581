/** A container: a mount namespace and a cgroup of its own in the pod's namespaces, and the processes in it. */

import * as sys from "tiny:sys";
import { CLONE_NEWNS, CLONE_NEWPID, Errno, hasErrno } from "@husk/tiny";
import { log } from "../log.ts";
import type { Cgroup } from "./cgroup/cgroup.ts";
import { makeContainerFolders, removeContainerFolders } from "./container-folders.ts";
import type { ContainerPlan } from "./container-plan.ts";
import { Namespaces } from "./namespaces.ts";
import { containerPaths } from "./paths.ts";
import type { PodInit } from "./pod-init.ts";
import { type Attachment, type Place, Process } from "./process.ts";
import type { ProcessPlan } from "./process-plan.ts";

/** See the head of the file. */
export class Container {
  readonly id: string;
  readonly cgroup: Cgroup;
  /** Resolves when its first process and all others are gone and nothing of it is left. */
  readonly freed: Promise<void>;
  readonly #sandbox: PodInit;
  readonly #processes = new Map<string, Process>();
  /** ids of processes that are being made */
  readonly #making = new Set<string>();
  #namespaces: Namespaces | undefined;
  #init: Process | undefined;
  #free: () => void = () => {};

  private constructor(plan: ContainerPlan, sandbox: PodInit) {
    this.id = plan.id;
    this.#sandbox = sandbox;
    this.cgroup = plan.makeCgroup();
    this.freed = new Promise((resolve) => {
      this.#free = resolve;
    });
  }

  /**
   * Sets a container up. Its first process is held before it becomes its program. What a failure leaves is undone.
   *
   * @param attachment of the first process
   */
  static async create(plan: ContainerPlan, sandbox: PodInit, attachment: Attachment): Promise<Container> {
    const container = new Container(plan, sandbox);
    try {
      await plan.limit(container.cgroup);
      makeContainerFolders(plan.id, plan.terminalOptions);
      await container.#createInit(plan, attachment);
      return container;
    } catch (error) {
      await container.#cleanUp();
      throw error;
    }
  }

  /** The plan is not kept: it has all of the specification, which a container needs only once. */
  async #createInit(plan: ContainerPlan, attachment: Attachment): Promise<void> {
    const { ownPids, namespaces, makeUsers, stops } = plan;
    const place: Place = {
      devpts: containerPaths(this.id).pts,
      pidNamespace: ownPids ? undefined : this.#sandbox.pidNamespace,
      namespaces: CLONE_NEWNS | namespaces | (ownPids ? CLONE_NEWPID : 0),
      enter: (stdio, course) => {
        this.cgroup.joinSelf();
        this.#sandbox.enter();
        plan.enterRoot(stdio, course);
      },
      held: true,
      ...(makeUsers && { enterUsers: makeUsers }),
      ...(stops && { stops }),
    };
    const init = await this.#create(plan.process, place, attachment);
    this.#init = init;
    this.#openNamespaces(init.pid, plan);
  }

  #openNamespaces(pid: number, { ownPids, joined }: ContainerPlan): void {
    try {
      this.#namespaces = new Namespaces(pid, ownPids ? ["pid", ...joined] : joined);
    } catch (error) {
      // It has been killed already: nobody will join it.
      if (!hasErrno(error, Errno.ENOENT)) throw error;
    }
  }

  /** Lets the first process become its program. @throws Error when it cannot, or has been started */
  start(): Promise<void> {
    return this.init.start();
  }

  /** Starts one more process. @throws Error when one of this id is there, or it cannot be started */
  exec(plan: ProcessPlan, attachment: Attachment): Promise<Process> {
    if (!this.running) throw new Error(`container "${this.id}" is not running`);
    const place: Place = {
      devpts: containerPaths(this.id).pts,
      pidNamespace: this.#namespaces?.pid ?? this.#sandbox.pidNamespace,
      namespaces: 0,
      enter: () => {
        this.cgroup.joinSelf();
        this.#namespaces?.join();
      },
      enterUsers: () => this.#namespaces?.joinOnly("user"),
    };
    return this.#create(plan, place, attachment);
  }

  /** whether its first process is there, be it held yet or not */
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

  /** Sends a signal to the first process, or to all. */
  signal(signal: number, all: boolean): void {
    if (!this.running) throw new Error("no such process");
    if (all) this.cgroup.signal(signal);
    else sys.kill(this.init.pid, signal);
  }

  /** Its processes, as the agent sees them. */
  pids(): number[] {
    return this.cgroup.pids();
  }

  /** In a child: makes the container's root its own. */
  enterRoot(): void {
    this.#namespaces?.joinOnly("mnt");
  }

  /** Resolves when no process is left in it, be their output read or not. */
  empty(): Promise<void> {
    return this.cgroup.empty();
  }

  /** Kills all that runs in it. */
  kill(): void {
    this.cgroup.kill();
  }

  async #create(plan: ProcessPlan, place: Place, attachment: Attachment): Promise<Process> {
    const { id } = plan;
    if (this.#processes.has(id) || this.#making.has(id)) throw new Error(`process id "${id}" is in use`);
    let process: Process | undefined;
    this.#making.add(id);
    try {
      process = await Process.create(plan, place, {
        streams: attachment.streams,
        onExited: (code) => {
          attachment.onExited(code);
          // With the first process the container ends, whoever else is in it.
          if (process === this.#init) this.kill();
        },
        onReleased: (code) => {
          attachment.onReleased(code);
          this.#processes.delete(id);
          if (this.#processes.size === 0 && !this.running) void this.#cleanUp();
        },
      });
      this.#processes.set(id, process);
      return process;
    } finally {
      this.#making.delete(id);
    }
  }

  /** Kills it and lets go of it without a word, when its first process could not be started. */
  discard(): Promise<void> {
    this.kill();
    return this.#cleanUp();
  }

  async #cleanUp(): Promise<void> {
    await this.cgroup.empty();
    this.cgroup.remove();
    this.#namespaces?.close();
    try {
      removeContainerFolders(this.id);
    } catch (error) {
      if (!hasErrno(error, Errno.ENOENT)) log("error", `container ${this.id}: ${error}`);
    }
    this.#free();
  }
}
