/** A container: a mount namespace and a cgroup of its own in the pod's namespaces, and the processes in it. */

import * as sys from "tiny:sys";
import { CLONE_NEWNS, Errno, hasErrno, O_CLOEXEC, writeControl } from "@husk/tiny";
import type { Container as ContainerSpec, Process as ProcessSpec } from "@husk/wire/hyperstart";
import { loadModule } from "../boot/modules.ts";
import { log } from "../log.ts";
import { findBlockDevice, isReadOnlyDisk } from "./block-device.ts";
import { Cgroup } from "./cgroup.ts";
import { containerPaths } from "./paths.ts";
import type { PodInit } from "./pod-init.ts";
import { type Place, Process, type ProcessEvents } from "./process.ts";
import {
  enterRootfs,
  isReadOnlyType,
  makeContainerFolders,
  makeInitLayer,
  type RootfsSource,
  removeContainerFolders,
} from "./rootfs.ts";
import type { StreamChannel } from "./stream-channel.ts";

/** What a container is started in, and whom it tells. */
export interface ContainerContext {
  init: PodInit;
  hostname: string;
  streams: StreamChannel;
  /** told of every process that has ended */
  onExited(containerId: string, processId: string, code: number): void;
}

async function findRootfs(spec: ContainerSpec): Promise<RootfsSource> {
  if (!spec.fstype)
    throw new Error("a root file system from a shared directory is not supported; give an fstype");
  if (spec.volumes.length > 0 || spec.fsmap.length > 0)
    throw new Error("volumes and fsmap are not supported");
  if (spec.ports.length > 0) throw new Error("ports are not supported");
  const device = await findBlockDevice(spec.image, spec.addr);
  loadModule(spec.fstype);
  // What the container writes goes to an overlay, unless the disk itself is there to be written to.
  const overlay = !spec.readOnly && (isReadOnlyType(spec.fstype) || isReadOnlyDisk(device));
  if (overlay) loadModule("overlay");
  return {
    containerId: spec.id,
    device,
    fstype: spec.fstype,
    folder: spec.rootfs,
    mode: overlay ? "overlay" : spec.readOnly ? "read-only" : "writable",
  };
}

function setSysctls(sysctls: Record<string, string>): void {
  for (const [name, value] of Object.entries(sysctls)) {
    if (name.includes("..")) throw new Error(`sysctl "${name}" is not a name`);
    writeControl(`/proc/sys/${name.replaceAll(".", "/")}`, value);
  }
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
    this.#cgroup = new Cgroup(id);
    this.freed = new Promise((resolve) => {
      this.#free = resolve;
    });
  }

  /** Sets the container up and starts its first process. What a failure leaves is undone. */
  static async start(spec: ContainerSpec, context: ContainerContext): Promise<Container> {
    const rootfs = await findRootfs(spec);
    const container = new Container(spec.id, context);
    try {
      makeContainerFolders(spec.id);
      await container.#startInit(spec, rootfs);
      return container;
    } catch (error) {
      await container.#cleanUp();
      throw error;
    }
  }

  async #startInit(spec: ContainerSpec, rootfs: RootfsSource): Promise<void> {
    const place: Place = {
      ...this.#place(),
      namespaces: CLONE_NEWNS,
      makeWorkdir: spec.initialize && !spec.readOnly,
      enter: () => {
        this.#cgroup.joinSelf();
        this.#context.init.enter();
        enterRootfs(rootfs);
        if (spec.initialize && !spec.readOnly) makeInitLayer();
        setSysctls(spec.sysctl);
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
      enter: () => {
        this.#cgroup.joinSelf();
        this.#context.init.enter();
        sys.setns(this.#mountNamespace, CLONE_NEWNS);
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

  /** Sends a signal to the first process, or to all. */
  signal(signal: number, all: boolean): void {
    if (!this.running) throw new Error("no such process");
    if (all) this.#cgroup.signal(signal);
    else sys.kill(this.init.pid, signal);
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
      onReleased: () => {
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
