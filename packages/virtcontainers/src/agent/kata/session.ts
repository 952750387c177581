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
import type { GuestProcess } from "../guest-process.ts";
import {
  type AgentOptions,
  type AgentSession,
  type Carrier,
  type ContainerControl,
  type ContainerStart,
  type IdentityControl,
  isShimStarter,
  type KillOptions,
  type OpenOptions,
  type PodStart,
  type RehearsalControl,
  type ShimStarter,
} from "../types.ts";
import type { KataAgent } from "./agent.ts";
import { hasStatus } from "./client.ts";
import { ContainerEnds, type FollowedEnd } from "./container-ends.ts";
import { containerRequest } from "./container-request.ts";
import { containerPaths } from "./guest-paths.ts";
import { execRequest } from "./process-message.ts";
import { ProcessStreams } from "./process-streams.ts";
import { podFiles, sandboxRequest } from "./sandbox-request.ts";

const SIGKILL = 9;

/** A session with Kata's agent, over its port or over another process that has it. */
export class KataSession implements AgentSession, ContainerControl, IdentityControl, RehearsalControl {
  readonly agent: KataAgent;
  readonly #config: KataAgentConfig;
  readonly #options: OpenOptions;
  readonly #ends: ContainerEnds;
  readonly #processes = new Set<GuestProcess>();
  #closed = false;

  constructor(agent: KataAgent, config: KataAgentConfig, options: OpenOptions) {
    this.agent = agent;
    this.#config = config;
    this.#options = options;
    this.#ends = new ContainerEnds(agent, options.events);
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
    const process = isShimStarter(carrier) ? undefined : carrier;
    if (process) this.#processes.add(process);
    this.#ends.forget(id);
    try {
      await this.#tell(this.#create(start, options));
      if (isShimStarter(carrier)) await carrier.startShim(id);
      await this.#tell(this.agent.startContainer(id, options));
    } catch (error) {
      if (process) this.#processes.delete(process);
      // What has been made of it goes; why it failed is what the caller is to hear.
      await this.removeContainer(id, {}).catch(() => {});
      throw error;
    }
    const followed = this.#ends.follow(id);
    if (process) void this.#carryFirst(new ProcessStreams(this.agent, id, id, process), followed);
  }

  /** One that has ended, and that the guest still keeps, goes first. */
  async #create(start: ContainerStart, options: AgentOptions): Promise<void> {
    const request = containerRequest(start);
    try {
      await this.agent.createContainer(request, options);
    } catch (error) {
      if (!hasStatus(error, StatusCode.ALREADY_EXISTS)) throw error;
      await this.agent.stopContainer(start.config.id, options);
      await this.agent.createContainer(request, options);
    }
  }

  /** The guest keeps what has ended, so that another process can still ask: it goes when the container does. */
  async #carryFirst(streams: ProcessStreams, followed: FollowedEnd): Promise<void> {
    const { process } = streams;
    try {
      await Promise.all([
        streams.carry(),
        followed.end.then(() => followed.exitCode !== undefined && process.exit(followed.exitCode)),
      ]);
    } catch (error) {
      await this.#failProcess(process, error);
    }
    this.#processes.delete(process);
  }

  async startProcess(
    containerId: string,
    cmd: Cmd,
    carrier: Carrier,
    options: AgentOptions,
  ): Promise<string> {
    const execId = `exec-${randomBytes(8).toString("hex")}`;
    await this.#tell(this.agent.exec(containerId, execId, execRequest(cmd), options));
    if (isShimStarter(carrier)) {
      await this.#handToShim(containerId, execId, carrier);
      return execId;
    }
    this.#processes.add(carrier);
    void this.#carryExec(containerId, execId, carrier);
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

  /** Others than our own agent forget such a process when its exit status was asked for, so that comes last. */
  async #carryExec(containerId: string, execId: string, process: GuestProcess): Promise<void> {
    const wait = () => this.agent.waitProcess(containerId, execId);
    const ended = this.agent.isOurs ? wait() : undefined;
    ended?.catch(() => {});
    try {
      await new ProcessStreams(this.agent, containerId, execId, process).carry();
      process.exit(await (ended ?? wait()));
    } catch (error) {
      await this.#failProcess(process, error);
    }
    this.#processes.delete(process);
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

  async clearPod(options: AgentOptions): Promise<void> {
    await this.#tell(this.agent.stopSandbox(options));
  }

  /** The agent has no word for powering off: the guest goes on, and has nothing left to lose. */
  async stopPod(options: AgentOptions): Promise<boolean> {
    await this.clearPod(options);
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
    // Also those whose reader holds their output up, which ask the guest for nothing at the moment.
    const lost = [...this.#processes];
    if (lost.length === 0) return;
    const error = await this.#options.describeLoss(!this.isOwner);
    for (const process of lost) process.fail(error);
  }

  /** Tells whoever waits for a process why nothing more comes of it, if nobody else has. */
  async #failProcess(process: GuestProcess, error: unknown): Promise<void> {
    if (process.finished) return;
    if (isHuskError(error, "ERR_AGENT_DISCONNECTED")) {
      process.fail(await this.#options.describeLoss(!this.isOwner));
      return;
    }
    const text = error instanceof Error ? error.message : String(error);
    process.fail(isHuskError(error) ? error : new HuskError("ERR_AGENT_PROTOCOL", text, { cause: error }));
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
