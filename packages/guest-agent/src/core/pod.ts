/** The pod: the namespaces that its containers share, and the containers. Reference: seed 001; hyperstart.md 4. */

import * as sys from "tiny:sys";
import {
  MNT_DETACH,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  makeDirectories,
  SIGTERM,
  startTimer,
  stopTimer,
} from "@husk/tiny";
import type { Container as ContainerSpec, Pod as PodSpec } from "@husk/wire/hyperstart";
import { log } from "../log.ts";
import { mountCgroups } from "./cgroup/hierarchy.ts";
import { Container, type ContainerContext } from "./container.ts";
import { Shares } from "./mounts/shares.ts";
import { setUpInterface } from "./network/interfaces.ts";
import { PortMapping } from "./network/port-mapping.ts";
import { addRoutes } from "./network/routes.ts";
import { podPaths } from "./paths.ts";
import { writeHosts, writePodFiles } from "./pod-files.ts";
import { PodInit } from "./pod-init.ts";
import type { Process } from "./process.ts";

/** Milliseconds between the request to end and the end, for a container that does not listen. */
const GRACE_MS = 5000;
/** Milliseconds that a host has to read the last output of containers that have ended. */
const LAST_OUTPUT_MS = 1000;

function refuseUnsupported(spec: PodSpec): void {
  if (spec.iptableRules) throw new Error("not supported: iptableRules; use portmappingWhiteLists");
}

/** Interfaces and routes of the request; what is set up already is no error, so a failed start may be repeated. */
async function setUpNetwork(spec: PodSpec): Promise<void> {
  for (const one of spec.interfaces) await setUpInterface(one);
  addRoutes(spec.routes);
}

/** What the pod is told, and tells. */
export interface PodContext extends Pick<ContainerContext, "streams" | "onExited" | "onReleased"> {
  /** whether a container that has ended stays known until it is removed */
  keepsEnded(): boolean;
}

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
  readonly #context: ContainerContext & PodContext;
  readonly #ports: PortMapping | undefined;
  readonly #containers = new Map<string, Container>();

  private constructor(context: ContainerContext & PodContext, ports: PortMapping | undefined) {
    this.#context = context;
    this.#ports = ports;
  }

  /** Makes the sandbox. The containers of the request are not started by it. */
  static async start(spec: PodSpec, context: PodContext): Promise<Pod> {
    refuseUnsupported(spec);
    await setUpNetwork(spec);
    const ports = PortMapping.start(spec.portmappingWhiteLists);
    try {
      return await Pod.#startSandbox(spec, context, ports);
    } catch (error) {
      ports?.end();
      throw error;
    }
  }

  static async #startSandbox(
    spec: PodSpec,
    context: PodContext,
    ports: PortMapping | undefined,
  ): Promise<Pod> {
    makeDirectories(podPaths.shm);
    sys.mount("shm", podPaths.shm, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777");
    try {
      const [init, shares] = [await Pod.#startInit(spec), new Shares(spec.shareDir)];
      return new Pod({ ...context, init, shares, hostname: spec.hostname }, ports);
    } catch (error) {
      sys.umount(podPaths.shm, MNT_DETACH);
      throw error;
    }
  }

  static async #startInit(spec: PodSpec): Promise<PodInit> {
    writePodFiles(spec);
    mountCgroups();
    return PodInit.start(spec.hostname);
  }

  /** Sets up a container and starts its first process. @throws Error when the id is in use */
  async startContainer(spec: ContainerSpec): Promise<Container> {
    const former = this.#containers.get(spec.id);
    if (former && (former.running || this.#context.keepsEnded())) {
      throw new Error(`container "${spec.id}" is there already`);
    }
    // An id may be used again once its container has ended; what is left of that one goes first.
    await former?.freed;
    const container = await this.#startWithPorts(spec);
    this.#containers.set(spec.id, container);
    void container.freed.then(() => {
      this.#closePorts(spec.id);
      if (!this.#context.keepsEnded()) this.#forget(container);
    });
    return container;
  }

  async #startWithPorts(spec: ContainerSpec): Promise<Container> {
    this.#ports?.open(spec.id, spec.ports);
    try {
      writeHosts(this.#context.hostname);
      return await Container.start(spec, this.#context);
    } catch (error) {
      this.#closePorts(spec.id);
      throw error;
    }
  }

  #closePorts(containerId: string): void {
    try {
      this.#ports?.close(containerId);
    } catch (error) {
      log("error", `container ${containerId}: ${error}`);
    }
  }

  #forget(container: Container): void {
    if (this.#containers.get(container.id) === container) this.#containers.delete(container.id);
  }

  /** Whether there is a container of this id. */
  knows(id: string): boolean {
    return this.#containers.has(id);
  }

  /** A container by its id. @throws Error when there is none */
  container(id: string): Container {
    const container = this.#containers.get(id);
    if (!container) throw new Error(`no such container: "${id}"`);
    return container;
  }

  /** The process of a stream, in whichever container. */
  processOfStream(stdio: number): Process | undefined {
    for (const container of this.#containers.values()) {
      const process = container.processOfStream(stdio);
      if (process) return process;
    }
    return undefined;
  }

  /** Forgets a container, when nothing of it is left. @throws Error when there is none, or it runs */
  async remove(id: string): Promise<void> {
    const container = this.container(id);
    if (container.running) throw new Error(`container "${id}" is running`);
    await container.freed;
    this.#forget(container);
  }

  /** Ends every container, those that do not listen by force after a grace, then the sandbox. */
  async end(): Promise<void> {
    const containers = [...this.#containers.values()];
    for (const container of containers) if (container.running) container.signal(SIGTERM, true);
    const grace = startTimer(GRACE_MS, () => {
      for (const container of containers) container.kill();
    });
    await Promise.all(containers.map((container) => container.empty()));
    stopTimer(grace);
    await withDeadline(Promise.all(containers.map((container) => container.freed)), LAST_OUTPUT_MS);
    await this.#context.init.end();
    this.#context.shares.end();
    this.#ports?.end();
    sys.umount(podPaths.shm, MNT_DETACH);
  }
}
