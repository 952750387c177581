/** The pod as hyperstart's host has it: with its network, its shares and its ports. */

import type { Container as ContainerSpec, Pod as PodSpec } from "@husk/wire/hyperstart";
import type { Container } from "../core/container.ts";
import type { ContainerPlan } from "../core/container-plan.ts";
import { Shares } from "../core/mounts/shares.ts";
import { setUpInterface } from "../core/network/interfaces.ts";
import { PortMapping } from "../core/network/port-mapping.ts";
import { addRoutes } from "../core/network/routes.ts";
import { Pod } from "../core/pod.ts";
import type { Attachment } from "../core/process.ts";
import { log } from "../log.ts";
import { planContainer } from "./plan-container.ts";

function refuseUnsupported(spec: PodSpec): void {
  if (spec.iptableRules) throw new Error("not supported: iptableRules; use portmappingWhiteLists");
}

/** Interfaces and routes of the request; what is set up already is no error, so a failed start may be repeated. */
async function setUpNetwork(spec: PodSpec): Promise<void> {
  for (const one of spec.interfaces) await setUpInterface(one);
  addRoutes(spec.routes);
}

function resolvConfLines({ dns, dnsSearch, dnsOptions }: PodSpec): string[] {
  const lines = dns.map((server) => `nameserver ${server}`);
  if (lines.length === 0) return lines;
  if (dnsSearch.length > 0) lines.push(`search ${dnsSearch.join(" ")}`);
  if (dnsOptions.length > 0) lines.push(`options ${dnsOptions.join(" ")}`);
  return lines;
}

/** See the head of the file. */
export class HyperstartPod {
  readonly hostname: string;
  readonly #pod: Pod;
  readonly #shares: Shares;
  readonly #ports: PortMapping | undefined;
  readonly #keepsEnded: () => boolean;

  private constructor(pod: Pod, spec: PodSpec, ports: PortMapping | undefined, keepsEnded: () => boolean) {
    this.hostname = spec.hostname;
    this.#pod = pod;
    this.#shares = new Shares(spec.shareDir);
    this.#ports = ports;
    this.#keepsEnded = keepsEnded;
  }

  /**
   * Makes the sandbox. The containers of the request are not started by it.
   *
   * @param keepsEnded whether a container that has ended stays known until it is removed
   */
  static async start(spec: PodSpec, keepsEnded: () => boolean): Promise<HyperstartPod> {
    refuseUnsupported(spec);
    await setUpNetwork(spec);
    const ports = PortMapping.start(spec.portmappingWhiteLists);
    try {
      const pod = await Pod.start({ hostname: spec.hostname, resolvConf: resolvConfLines(spec) });
      return new HyperstartPod(pod, spec, ports, keepsEnded);
    } catch (error) {
      ports?.end();
      throw error;
    }
  }

  /** Sets up a container and starts its first process. @throws Error when the id is in use */
  async startContainer(spec: ContainerSpec, attachment: Attachment): Promise<Container> {
    const former = this.#pod.find(spec.id);
    if (former && (former.running || this.#keepsEnded())) {
      throw new Error(`container "${spec.id}" is there already`);
    }
    // An id may be used again once its container has ended; what is left of that one goes first.
    await former?.freed;
    if (former) this.#pod.forget(former);
    const container = await this.#startWithPorts(spec, attachment);
    void container.freed.then(() => {
      this.#closePorts(spec.id);
      if (!this.#keepsEnded()) this.#pod.forget(container);
    });
    return container;
  }

  async #startWithPorts(spec: ContainerSpec, attachment: Attachment): Promise<Container> {
    this.#ports?.open(spec.id, spec.ports);
    try {
      const plan = await planContainer(spec, this.hostname, this.#shares);
      return await this.#createAndStart(plan, attachment);
    } catch (error) {
      this.#closePorts(spec.id);
      throw error;
    }
  }

  async #createAndStart(plan: ContainerPlan, attachment: Attachment): Promise<Container> {
    const container = await this.#pod.createContainer(plan, attachment);
    try {
      await container.start();
      return container;
    } catch (error) {
      await container.discard();
      this.#pod.forget(container);
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

  /** Whether there is a container of this id. */
  knows(id: string): boolean {
    return this.#pod.knows(id);
  }

  /** A container by its id. @throws Error when there is none */
  container(id: string): Container {
    return this.#pod.container(id);
  }

  /** Forgets a container, when nothing of it is left. @throws Error when there is none, or it runs */
  remove(id: string): Promise<void> {
    return this.#pod.remove(id);
  }

  /** Ends every container, those that do not listen by force after a grace, then the sandbox. */
  async end(): Promise<void> {
    await this.#pod.end();
    this.#shares.end();
    this.#ports?.end();
  }
}
