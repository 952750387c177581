import {
  type AgentDetails,
  AgentService,
  type CreateContainerRequest,
  type CreateSandboxRequest,
  type GuestDetailsRequest,
  type GuestDetailsResponse,
  Health,
  HealthCheckResponse_ServingStatus,
  type Interface,
  type Process,
  type Route,
  type StringUser,
} from "@husk/wire/kata";
import type { MessageInit, MethodName, RequestInitOf, ResponseOf } from "@husk/wire/protobuf";
import { HuskError } from "../../errors/index.ts";
import type { DeadlineName } from "../../hypervisor/deadlines.ts";
import type { GuestInterface } from "../../network/types.ts";
import type { ContainerStats, LinuxResources, ProcessListOptions } from "../../types/index.ts";
import { checkedList } from "../process-list.ts";
import type { AgentOptions } from "../types.ts";
import { isEndOfOutput, type KataClient } from "./client.ts";
import { copyFileBy } from "./copy-file.ts";
import { interfaceMessage, neighbourMessages, routeMessages } from "./network-messages.ts";
import { resourcesMessage } from "./resources-message.ts";
import { statsOf } from "./stats.ts";

/** Most bytes of output asked for at a time. */
const READ_BYTES = 1024 * 1024;
/** What our own agent has at the end of its version. */
const OWN_AGENT = /\+husk$/;
/** Most bytes of input sent at a time. */
const WRITE_BYTES = 64 * 1024;

/** A process that runs beside a container's first: its specification, and its user by name, if it is so given. */
export interface ExecRequest {
  readonly process: MessageInit<Process>;
  readonly stringUser?: MessageInit<StringUser> | undefined;
}

/** Version and abilities of an agent. Go: `GuestDetailsResponse`. */
type GuestDetails = GuestDetailsResponse & { agentDetails?: AgentDetails };

/**
 * The methods of the seed's `agent` interface that are calls to the guest, by their names. All throw HuskErrors as
 * `KataClient.call` does.
 */
export abstract class KataCalls {
  /** see {@link isOurs} */
  protected ours = false;

  /** The connection. @throws HuskError ERR_AGENT_DISCONNECTED when there is none */
  protected abstract get client(): KataClient;
  /** Milliseconds of a deadline on this VM. */
  protected abstract deadline(name: DeadlineName): number;

  /** Asks whether the agent serves. @throws HuskError ERR_AGENT_REFUSED when it says that it does not */
  async check(options: AgentOptions = {}, timeoutMs = this.deadline("agentCommand")): Promise<void> {
    const { status } = await this.client.call(Health, "Check", {}, { ...options, timeoutMs });
    if (status === HealthCheckResponse_ServingStatus.SERVING) return;
    throw new HuskError("ERR_AGENT_REFUSED", `the agent does not serve: its status is ${status}`);
  }

  /**
   * Whether the agent is ours, as it has said to {@link greet}. Of ours is known that it answers reads of one output in the
   * order in which it was asked, keeps the output of a process whose end was told, and goes on when its sandbox has ended.
   */
  get isOurs(): boolean {
    return this.ours;
  }

  /** Asks the agent for its version, which also tells that it serves. */
  async greet(options: AgentOptions, timeoutMs: number): Promise<void> {
    const { agentVersion } = await this.client.call(Health, "Version", {}, { ...options, timeoutMs });
    this.ours = OWN_AGENT.test(agentVersion);
  }

  /** Sets the pod up in the guest. */
  async startSandbox(request: MessageInit<CreateSandboxRequest>, options: AgentOptions = {}): Promise<void> {
    await this.#ask("CreateSandbox", request, "agentStart", options);
  }

  /** Ends all containers and forgets the pod; the guest goes on. */
  async stopSandbox(options: AgentOptions = {}): Promise<void> {
    await this.#ask("DestroySandbox", {}, "agentStop", options);
  }

  /** Makes a container, whose first process waits. */
  async createContainer(
    request: MessageInit<CreateContainerRequest>,
    options: AgentOptions = {},
  ): Promise<void> {
    await this.#ask("CreateContainer", request, "agentStart", options);
  }

  /** Lets the first process go. */
  async startContainer(containerId: string, options: AgentOptions = {}): Promise<void> {
    await this.#ask("StartContainer", { containerId }, "agentStart", options);
  }

  /** Ends what still runs in a container, and takes it away. */
  async stopContainer(containerId: string, options: AgentOptions = {}): Promise<void> {
    await this.#ask("RemoveContainer", { containerId }, "agentStop", options);
  }

  /** Starts one more process in a container. */
  async exec(
    containerId: string,
    execId: string,
    { process, stringUser }: ExecRequest,
    options: AgentOptions = {},
  ): Promise<void> {
    const request = { containerId, execId, process, stringUser };
    await this.#ask("ExecProcess", request, "agentStart", options);
  }

  /** Sends a signal to a process, or to all of its container. */
  async signalProcess(
    containerId: string,
    processId: string,
    signal: number,
    all: boolean,
    options: AgentOptions = {},
  ): Promise<void> {
    const request = { containerId, execId: all ? "" : processId, signal };
    await this.#ask("SignalProcess", request, "agentCommand", options);
  }

  /** Tells a terminal its size in characters. */
  async winsizeProcess(containerId: string, execId: string, height: number, width: number): Promise<void> {
    const request = { containerId, execId, row: height, column: width };
    await this.#ask("TtyWinResize", request, "agentCommand", {});
  }

  /** Writes to a process's input. @returns how many bytes were taken; it waits until some are */
  async writeProcessStdin(containerId: string, execId: string, data: Uint8Array): Promise<number> {
    const piece = data.subarray(0, WRITE_BYTES);
    const { len } = await this.#ask("WriteStdin", { containerId, execId, data: piece }, undefined, {});
    if (len <= piece.length) return len;
    throw new HuskError("ERR_AGENT_PROTOCOL", `the guest took ${len} bytes of ${piece.length}`);
  }

  /** Ends a process's input. */
  async closeProcessStdin(containerId: string, execId: string): Promise<void> {
    await this.#ask("CloseStdin", { containerId, execId }, "agentCommand", {});
  }

  /** Waits for output of a process. @returns undefined at its end */
  readProcessStdout(containerId: string, processId: string): Promise<Uint8Array | undefined> {
    return this.#read("ReadStdout", containerId, processId);
  }

  /** The same for the error output. */
  readProcessStderr(containerId: string, processId: string): Promise<Uint8Array | undefined> {
    return this.#read("ReadStderr", containerId, processId);
  }

  /** Lists a container's processes: an array of process ids as JSON, or the lines of ps(1). */
  async processListContainer(
    containerId: string,
    { format, args = [] }: ProcessListOptions,
    options: AgentOptions = {},
  ): Promise<Uint8Array> {
    const request = { containerId, format, args };
    const { processList } = await this.#ask("ListProcesses", request, "agentCommand", options);
    return checkedList(format, processList);
  }

  /** Waits for the end of a process. @returns its exit status, 128+signal when a signal ended it */
  async waitProcess(containerId: string, execId: string): Promise<number> {
    const { status } = await this.#ask("WaitProcess", { containerId, execId }, undefined, {});
    // Of what a guest says, a process can only end with this.
    return status & 0xff;
  }

  /** Changes what a container may use. */
  async updateContainer(
    containerId: string,
    resources: LinuxResources,
    options: AgentOptions = {},
  ): Promise<void> {
    const request = { containerId, resources: resourcesMessage(resources) };
    await this.#ask("UpdateContainer", request, "agentCommand", options);
  }

  /** Tells what a container uses. */
  async statsContainer(containerId: string, options: AgentOptions = {}): Promise<ContainerStats> {
    return statsOf(await this.#ask("StatsContainer", { containerId }, "agentCommand", options));
  }

  /** Freezes all processes of a container. */
  async pauseContainer(containerId: string, options: AgentOptions = {}): Promise<void> {
    await this.#ask("PauseContainer", { containerId }, "agentCommand", options);
  }

  /** Lets them go on. */
  async resumeContainer(containerId: string, options: AgentOptions = {}): Promise<void> {
    await this.#ask("ResumeContainer", { containerId }, "agentCommand", options);
  }

  /** Takes plugged-in processors, and memory unless `cpuOnly`, into use. */
  async onlineCPUMem(cpus: number, cpuOnly: boolean, options: AgentOptions = {}): Promise<void> {
    await this.#ask("OnlineCPUMem", { wait: true, nbCpus: cpus, cpuOnly }, "agentStart", options);
  }

  /** Feeds the guest's random number generator. */
  async reseedRNG(data: Uint8Array, options: AgentOptions = {}): Promise<void> {
    await this.#ask("ReseedRandomDev", { data }, "agentCommand", options);
  }

  /** Sets an interface up, found by its hardware address. @returns it as it then is */
  async updateInterface(guestInterface: GuestInterface, options: AgentOptions = {}): Promise<Interface> {
    const request = { interface: interfaceMessage(guestInterface) };
    const answer = await this.#ask("UpdateInterface", request, "agentStart", options);
    const neighbours = neighbourMessages(guestInterface);
    if (neighbours.length > 0) {
      await this.#ask(
        "AddARPNeighbors",
        { neighbors: { ARPNeighbors: neighbours } },
        "agentCommand",
        options,
      );
    }
    return answer;
  }

  async listInterfaces(options: AgentOptions = {}): Promise<Interface[]> {
    return (await this.#ask("ListInterfaces", {}, "agentCommand", options)).Interfaces;
  }

  /** Makes the guest's routes those of some interfaces. @returns them as they then are */
  async updateRoutes(interfaces: readonly GuestInterface[], options: AgentOptions = {}): Promise<Route[]> {
    const request = { routes: { Routes: routeMessages(interfaces) } };
    return (await this.#ask("UpdateRoutes", request, "agentCommand", options)).Routes;
  }

  async listRoutes(options: AgentOptions = {}): Promise<Route[]> {
    return (await this.#ask("ListRoutes", {}, "agentCommand", options)).Routes;
  }

  /** Asks what the guest can do. */
  getGuestDetails(
    request: MessageInit<GuestDetailsRequest>,
    options: AgentOptions = {},
  ): Promise<GuestDetails> {
    return this.#ask("GetGuestDetails", request, "agentCommand", options);
  }

  /** Sets the guest's clock. */
  async setGuestDateTime(date: Date, options: AgentOptions = {}): Promise<void> {
    const ms = date.getTime();
    const Sec = Math.floor(ms / 1000);
    const request = { Sec: BigInt(Sec), Usec: BigInt((ms - Sec * 1000) * 1000) };
    await this.#ask("SetGuestDateTime", request, "agentCommand", options);
  }

  /** Copies a regular file of the host into the guest, below `/run`, with its mode and owner. */
  async copyFile(source: string, destination: string, options: AgentOptions = {}): Promise<void> {
    await copyFileBy((piece) => this.#ask("CopyFile", piece, "agentStart", options), source, destination);
  }

  /** Writes a small file of the guest, below `/run`. */
  async writeGuestFile(path: string, text: string, options: AgentOptions): Promise<void> {
    const data = Buffer.from(text);
    const request = { path, fileSize: BigInt(data.length), fileMode: 0o100_644, dirMode: 0o755, data };
    await this.#ask("CopyFile", { ...request, offset: 0n }, "agentCommand", options);
  }

  async #read(
    name: "ReadStdout" | "ReadStderr",
    containerId: string,
    execId: string,
  ): Promise<Uint8Array | undefined> {
    try {
      const request = { containerId, execId, len: READ_BYTES };
      return (await this.#ask(name, request, undefined, {})).data;
    } catch (error) {
      if (isEndOfOutput(error)) return undefined;
      throw error;
    }
  }

  #ask<Name extends MethodName<typeof AgentService>>(
    name: Name,
    request: RequestInitOf<typeof AgentService, Name>,
    deadline: DeadlineName | undefined,
    { signal }: AgentOptions,
  ): Promise<ResponseOf<typeof AgentService, Name>> {
    const timeoutMs = deadline && this.deadline(deadline);
    return this.client.call(AgentService, name, request, { timeoutMs, signal });
  }
}
