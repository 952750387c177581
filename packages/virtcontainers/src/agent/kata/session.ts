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
  type ContainerControl,
  type ContainerStart,
  type IdentityControl,
  INIT_PROCESS,
  type KillOptions,
  type OpenOptions,
  type PodStart,
} from "../types.ts";
import type { KataAgent } from "./agent.ts";
import { hasStatus } from "./client.ts";
import { containerRequest } from "./container-request.ts";
import { containerPaths } from "./guest-paths.ts";
import { execRequest } from "./process-message.ts";
import { ProcessStreams } from "./process-streams.ts";
import { podFiles, sandboxRequest } from "./sandbox-request.ts";

/** What is known of the end of a container's first process. */
interface Followed {
  /** undefined: it runs, or how it ended is not known */
  exitCode?: number;
  /** whether it has ended */
  ended: boolean;
  readonly end: Promise<void>;
}

/** A session with Kata's agent, over its port or over another process that has it. */
export class KataSession implements AgentSession, ContainerControl, IdentityControl {
  readonly agent: KataAgent;
  readonly #config: KataAgentConfig;
  readonly #options: OpenOptions;
  /** containers whose end is waited for, or was */
  readonly #followed = new Map<string, Followed>();
  readonly #processes = new Set<GuestProcess>();
  #closed = false;

  constructor(agent: KataAgent, config: KataAgentConfig, options: OpenOptions) {
    this.agent = agent;
    this.#config = config;
    this.#options = options;
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

  async startContainer(start: ContainerStart, process: GuestProcess, options: AgentOptions): Promise<void> {
    const { id } = start.config;
    const streams = new ProcessStreams(this.agent, id, id, process);
    this.#processes.add(process);
    this.#followed.delete(id);
    try {
      await this.#tell(this.#create(start, options));
      await this.#tell(this.agent.startContainer(id, options));
    } catch (error) {
      this.#processes.delete(process);
      // What has been made of it goes; why it failed is what the caller is to hear.
      await this.removeContainer(id, {}).catch(() => {});
      throw error;
    }
    const followed = this.#follow(id);
    void this.#carryFirst(streams, followed);
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
  async #carryFirst(streams: ProcessStreams, followed: Followed): Promise<void> {
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
    process: GuestProcess,
    options: AgentOptions,
  ): Promise<string> {
    const execId = `exec-${randomBytes(8).toString("hex")}`;
    await this.#tell(this.agent.exec(containerId, execId, execRequest(cmd), options));
    this.#processes.add(process);
    void this.#carryExec(containerId, execId, process);
    return execId;
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
    const followed = this.#follow(containerId);
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
    for (const containerId of this.#options.runningContainers()) this.#follow(containerId);
  }

  /** Waits for the end of a container's first process, which is told as an event. */
  #follow(containerId: string): Followed {
    const known = this.#followed.get(containerId);
    if (known && !known.ended) return known;
    const end = Promise.withResolvers<void>();
    const followed: Followed = { ended: false, end: end.promise };
    this.#followed.set(containerId, followed);
    this.agent.waitProcess(containerId, containerId).then(
      (exitCode) => {
        followed.ended = true;
        followed.exitCode = exitCode;
        this.#options.events.onExit(containerId, INIT_PROCESS, exitCode);
        end.resolve();
      },
      (error: unknown) => {
        // A container that the guest does not know does not run, nor one of a pod that is not set up; of others nothing is known.
        followed.ended = [StatusCode.NOT_FOUND, StatusCode.FAILED_PRECONDITION].some((code) =>
          hasStatus(error, code),
        );
        end.reject(error as Error);
      },
    );
    end.promise.catch(() => {});
    return followed;
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
