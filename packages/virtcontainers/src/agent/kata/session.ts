import { randomBytes } from "node:crypto";
import { StatusCode } from "@husk/wire/ttrpc";
import { HuskError, isHuskError } from "../../errors/index.ts";
import type { GuestInterface } from "../../network/types.ts";
import type {
  Cmd,
  ContainerStats,
  KataAgentConfig,
  LinuxResources,
  ProcessListOptions,
} from "../../types/index.ts";
import {
  type AgentOptions,
  type AgentSession,
  type Carrier,
  type ContainerControl,
  type ContainerPreparation,
  type ContainerStart,
  type IdentityControl,
  isShimStarter,
  type KillOptions,
  type OpenOptions,
  type PodStart,
  type RehearsalControl,
  type ShimStarter,
  type StartOptions,
} from "../types.ts";
import type { KataAgent } from "./agent.ts";
import { CarriedProcesses } from "./carried-processes.ts";
import { hasStatus } from "./client.ts";
import { ContainerEnds } from "./container-ends.ts";
import { containerRequest } from "./container-request.ts";
import { containerPaths } from "./guest-paths.ts";
import { execRequest } from "./process-message.ts";
import { podFiles, sandboxRequest } from "./sandbox-request.ts";

const SIGKILL = 9;

/** A session with Kata's agent, over its port or over another process that has it. */
export class KataSession
  implements AgentSession, ContainerControl, ContainerPreparation, IdentityControl, RehearsalControl
{
  readonly agent: KataAgent;
  readonly #config: KataAgentConfig;
  readonly #options: OpenOptions;
  readonly #ends: ContainerEnds;
  readonly #carried: CarriedProcesses;
  #closed = false;

  constructor(agent: KataAgent, config: KataAgentConfig, options: OpenOptions) {
    this.agent = agent;
    this.#config = config;
    this.#options = options;
    this.#ends = new ContainerEnds(agent, options.events);
    this.#carried = new CarriedProcesses(agent, () => options.describeLoss(!agent.isOwner));
    agent.onClose(() => void this.#takeClosed());
  }

  get closed(): boolean {
    return this.#closed || this.agent.closed;
  }

  get isOwner(): boolean {
    return this.agent.isOwner;
  }

  async startPod(pod: PodStart, options: AgentOptions): Promise<void> {
    await this.#tell(this.agent.startSandbox(sandboxRequest(pod, this.#config), options));
    const files = podFiles(pod).map(({ path, text }) => this.agent.writeGuestFile(path, text, options));
    await this.#tell(Promise.all(files));
  }

  async setupInterface(guestInterface: GuestInterface, options: AgentOptions): Promise<void> {
    await this.#tell(this.agent.updateInterface(guestInterface, options));
  }

  async setupRoutes(
    _interfaces: readonly GuestInterface[],
    all: readonly GuestInterface[],
    options: AgentOptions,
  ): Promise<void> {
    await this.#tell(this.agent.updateRoutes(all, options));
  }

  async startContainer(start: ContainerStart, carrier: Carrier, options: AgentOptions): Promise<void> {
    const { id } = start.config;
    if (isShimStarter(carrier)) {
      await this.prepareContainer(start, carrier, options);
      await this.beginContainer(id, options);
      return;
    }
    this.#carried.add(carrier);
    try {
      await this.#create(start, async () => this.#tell(this.agent.startContainer(id, options)), options);
    } catch (error) {
      this.#carried.drop(carrier);
      throw error;
    }
    void this.#carried.carryFirst(id, carrier, this.#ends.follow(id));
  }

  prepareContainer(start: ContainerStart, shim: ShimStarter, options: AgentOptions): Promise<void> {
    return this.#create(start, () => shim.startShim(start.config.id), options);
  }

  async beginContainer(containerId: string, options: AgentOptions): Promise<void> {
    await this.#orRemove(containerId, () => this.#tell(this.agent.startContainer(containerId, options)));
    this.#ends.follow(containerId);
  }

  #create(start: ContainerStart, andThen: () => Promise<void>, options: AgentOptions): Promise<void> {
    const { id } = start.config;
    this.#ends.forget(id);
    return this.#orRemove(id, async () => {
      await this.#tell(this.#createAnew(start, options));
      await andThen();
    });
  }

  /** What has been made of a container goes when it cannot be started; why that is, is what the caller is to hear. */
  async #orRemove(containerId: string, start: () => Promise<void>): Promise<void> {
    try {
      await start();
    } catch (error) {
      await this.removeContainer(containerId, {}).catch(() => {});
      throw error;
    }
  }

  /** One that has ended, and that the guest still keeps, goes first. */
  async #createAnew(start: ContainerStart, options: AgentOptions): Promise<void> {
    const request = containerRequest(start);
    try {
      await this.agent.createContainer(request, options);
    } catch (error) {
      if (!hasStatus(error, StatusCode.ALREADY_EXISTS)) throw error;
      await this.agent.stopContainer(start.config.id, options);
      await this.agent.createContainer(request, options);
    }
  }

  async startProcess(
    containerId: string,
    cmd: Cmd,
    carrier: Carrier,
    { ociProcess, ...options }: StartOptions,
  ): Promise<string> {
    const execId = `exec-${randomBytes(8).toString("hex")}`;
    await this.#tell(this.agent.exec(containerId, execId, execRequest(cmd, ociProcess), options));
    if (isShimStarter(carrier)) {
      await this.#handToShim(containerId, execId, carrier);
      return execId;
    }
    void this.#carried.carryExec(containerId, execId, carrier);
    return execId;
  }

  /** A process that no shim stands for must not go on. */
  async #handToShim(containerId: string, execId: string, shim: ShimStarter): Promise<void> {
    try {
      await shim.startShim(execId);
    } catch (error) {
      await this.agent.signalProcess(containerId, execId, SIGKILL, false).catch(() => {});
      throw error;
    }
  }

  async isRunning(containerId: string, options: AgentOptions): Promise<boolean> {
    const followed = this.#ends.follow(containerId);
    // Requests are begun in their order: what has ended already is told before the second answer.
    for (let round = 0; round < 2 && !followed.ended; round++) {
      await this.#tell(this.agent.check(options));
    }
    return !followed.ended;
  }

  async killContainer(
    containerId: string,
    signal: number,
    { all = false, ...options }: KillOptions,
  ): Promise<boolean> {
    if (!(await this.isRunning(containerId, options))) return false;
    try {
      await this.#tell(this.agent.signalProcess(containerId, containerId, signal, all, options));
      return true;
    } catch (error) {
      if (isHuskError(error, "ERR_CONTAINER_NOT_FOUND")) return false;
      throw error;
    }
  }

  async signalProcess(
    containerId: string,
    processId: string,
    signal: number,
    options: AgentOptions,
  ): Promise<void> {
    try {
      await this.#tell(this.agent.signalProcess(containerId, processId, signal, false, options));
    } catch (error) {
      if (!isHuskError(error, "ERR_CONTAINER_NOT_FOUND")) throw error;
    }
  }

  listProcesses(containerId: string, list: ProcessListOptions, options: AgentOptions): Promise<Uint8Array> {
    return this.#tell(this.agent.processListContainer(containerId, list, options));
  }

  async removeContainer(containerId: string, options: AgentOptions): Promise<void> {
    try {
      await this.#tell(this.agent.stopContainer(containerId, options));
    } catch (error) {
      if (!isHuskError(error, "ERR_CONTAINER_NOT_FOUND")) throw error;
    }
  }

  /** Others than our own agent end with their sandbox. */
  async clearPod(options: AgentOptions): Promise<void> {
    if (!this.agent.isOurs)
      throw new HuskError("ERR_AGENT_REFUSED", "only husk's own agent outlives its sandbox");
    await this.#tell(this.agent.stopSandbox(options));
  }

  /** The agent has no word for powering off: the guest goes on, and has nothing left to lose. */
  async stopPod(options: AgentOptions): Promise<boolean> {
    await this.#tell(this.agent.stopSandbox(options));
    return false;
  }

  updateContainer(containerId: string, resources: LinuxResources, options: AgentOptions): Promise<void> {
    return this.#tell(this.agent.updateContainer(containerId, resources, options));
  }

  statsContainer(containerId: string, options: AgentOptions): Promise<ContainerStats> {
    return this.#tell(this.agent.statsContainer(containerId, options));
  }

  pauseContainer(containerId: string, options: AgentOptions): Promise<void> {
    return this.#tell(this.agent.pauseContainer(containerId, options));
  }

  resumeContainer(containerId: string, options: AgentOptions): Promise<void> {
    return this.#tell(this.agent.resumeContainer(containerId, options));
  }

  onlineCPUMem(cpus: number, cpuOnly: boolean, options: AgentOptions): Promise<void> {
    return this.#tell(this.agent.onlineCPUMem(cpus, cpuOnly, options));
  }

  async renewIdentity(random: Uint8Array, options: AgentOptions): Promise<void> {
    await this.#tell(this.agent.reseedRNG(random, options));
    await this.#tell(this.agent.setGuestDateTime(new Date(), options));
  }

  rootOf(containerId: string): string {
    return containerPaths(containerId).rootfs;
  }

  copyFile(source: string, destination: string, options: AgentOptions): Promise<void> {
    return this.#tell(this.agent.copyFile(source, destination, options));
  }

  close(): void {
    this.agent.disconnect();
  }

  /** Waits for the ends of the containers that are stored as running, those that others have started too. */
  followStored(): void {
    if (this.closed) return;
    for (const containerId of this.#options.runningContainers()) this.#ends.follow(containerId);
  }

  async #takeClosed(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.events.onClosed();
    await this.#carried.failAll();
  }

  /** A call whose connection has ended is told why that is. */
  async #tell<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (!isHuskError(error, "ERR_AGENT_DISCONNECTED")) throw error;
      throw await this.#options.describeLoss(!this.isOwner);
    }
  }
}
