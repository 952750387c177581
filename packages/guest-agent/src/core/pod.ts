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
  writeText,
} from "@husk/tiny";
import type { Container as ContainerSpec, Pod as PodSpec } from "@husk/wire/hyperstart";
import { mountCgroups } from "./cgroup.ts";
import { Container, type ContainerContext } from "./container.ts";
import { Shares } from "./mounts/shares.ts";
import { podPaths } from "./paths.ts";
import { PodInit } from "./pod-init.ts";

/** Milliseconds between the request to end and the end, for a container that does not listen. */
const GRACE_MS = 5000;
/** Milliseconds that a host has to read the last output of containers that have ended. */
const LAST_OUTPUT_MS = 1000;

function writeResolvConf(spec: PodSpec): void {
  const lines = spec.dns.map((server) => `nameserver ${server}`);
  if (lines.length === 0) return;
  if (spec.dnsSearch.length > 0) lines.push(`search ${spec.dnsSearch.join(" ")}`);
  if (spec.dnsOptions.length > 0) lines.push(`options ${spec.dnsOptions.join(" ")}`);
  writeText(podPaths.resolvConf, `${lines.join("\n")}\n`);
}

function refuseUnsupported(spec: PodSpec): void {
  const asked: [asked: boolean, what: string][] = [
    [spec.interfaces.length > 0, "interfaces"],
    [spec.routes.length > 0, "routes"],
    [spec.portmappingWhiteLists !== undefined, "portmappingWhiteLists"],
  ];
  const refused = asked.filter(([is]) => is).map(([, what]) => what);
  if (refused.length > 0) throw new Error(`not supported: ${refused.join(", ")}`);
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
  readonly #context: ContainerContext;
  readonly #containers = new Map<string, Container>();

  private constructor(context: ContainerContext) {
    this.#context = context;
  }

  /** Makes the sandbox. The containers of the request are not started by it. */
  static async start(spec: PodSpec, context: Pick<ContainerContext, "streams" | "onExited">): Promise<Pod> {
    refuseUnsupported(spec);
    makeDirectories(podPaths.shm);
    sys.mount("shm", podPaths.shm, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777");
    try {
      const [init, shares] = [await Pod.#startInit(spec), new Shares(spec.shareDir)];
      return new Pod({ ...context, init, shares, hostname: spec.hostname });
    } catch (error) {
      sys.umount(podPaths.shm, MNT_DETACH);
      throw error;
    }
  }

  static async #startInit(spec: PodSpec): Promise<PodInit> {
    if (spec.hostname) writeText(podPaths.hostname, `${spec.hostname}\n`);
    writeResolvConf(spec);
    mountCgroups();
    return PodInit.start(spec.hostname);
  }

  /** Sets up a container and starts its first process. @throws Error when the id is in use */
  async startContainer(spec: ContainerSpec): Promise<Container> {
    const former = this.#containers.get(spec.id);
    if (former?.running) throw new Error(`container "${spec.id}" is there already`);
    // An id may be used again once its container has ended; what is left of that one goes first.
    await former?.freed;
    const container = await Container.start(spec, this.#context);
    this.#containers.set(spec.id, container);
    void container.freed.then(() => {
      if (this.#containers.get(spec.id) === container) this.#containers.delete(spec.id);
    });
    return container;
  }

  /** A container by its id. @throws Error when there is none */
  container(id: string): Container {
    const container = this.#containers.get(id);
    if (!container) throw new Error(`no such container: "${id}"`);
    return container;
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
    sys.umount(podPaths.shm, MNT_DETACH);
  }
}
