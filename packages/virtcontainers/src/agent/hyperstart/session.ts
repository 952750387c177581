import { randomBytes } from "node:crypto";
import {
  Command,
  encodeRenewal,
  type ProcessAsyncEvent,
  type ProcessList,
  PSCONTAINER,
  RENEW,
} from "@husk/wire/hyperstart";
import { HuskError, isHuskError } from "../../errors/index.ts";
import { type DeadlineName, deadlineMs } from "../../hypervisor/deadlines.ts";
import type { GuestInterface } from "../../network/types.ts";
import type { Cmd, ProcessListOptions } from "../../types/index.ts";
import type { GuestProcess, ProcessChannel } from "../guest-process.ts";
import { checkedList } from "../process-list.ts";
import {
  type AgentOptions,
  type AgentSession,
  type ContainerStart,
  type IdentityControl,
  INIT_PROCESS,
  type KillOptions,
  type OpenOptions,
  type PodStart,
  type ResourceControl,
} from "../types.ts";
import type { HyperstartConnection, Reply } from "./connection.ts";
import { interfaceRequest, routesRequest } from "./network-requests.ts";
import { replyText } from "./reply-text.ts";
import { containerRequest, podRequest, processRequest, type StreamSeqs } from "./requests.ts";
import { SessionProcess } from "./session-process.ts";
import { StreamRouter } from "./stream-router.ts";

/** A session with hyperstart, over its channels or over another process that relays them. */
export class HyperstartSession implements AgentSession, ResourceControl, IdentityControl {
  readonly connection: HyperstartConnection;
  readonly router: StreamRouter;
  readonly isOwner: boolean;
  readonly #options: OpenOptions;
  readonly #processes = new Map<string, SessionProcess>();
  readonly #closers: (() => void)[] = [];
  readonly #listeners = new Set<(event: ProcessAsyncEvent) => void>();
  #closed = false;

  constructor(connection: HyperstartConnection, isOwner: boolean, options: OpenOptions) {
    this.connection = connection;
    this.isOwner = isOwner;
    this.#options = options;
    this.router = new StreamRouter(connection);
  }

  get closed(): boolean {
    return this.#closed || this.connection.closed;
  }

  /** Calls `listener` at every end of a process, until it is taken off by the function returned. */
  listen(listener: (event: ProcessAsyncEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `closer` when the session ends. */
  onClose(closer: () => void): void {
    this.#closers.push(closer);
  }

  /** Milliseconds of a deadline on this VM. */
  deadline(name: DeadlineName): number {
    return deadlineMs(name, this.#options.deadlineFactor);
  }

  async startPod(pod: PodStart, options: AgentOptions): Promise<void> {
    await this.#command(Command.STARTPOD, podRequest(pod), "agentStart", options);
  }

  async setupInterface(guestInterface: GuestInterface, options: AgentOptions): Promise<void> {
    // It may have to appear first, as a container's disk may.
    await this.#command(Command.SETUPINTERFACE, interfaceRequest(guestInterface), "agentStart", options);
  }

  async setupRoutes(
    interfaces: readonly GuestInterface[],
    _all: readonly GuestInterface[],
    options: AgentOptions,
  ): Promise<void> {
    const request = routesRequest(interfaces);
    if (request.routes.length > 0) await this.#command(Command.SETUPROUTE, request, "agentCommand", options);
  }

  async startContainer(start: ContainerStart, process: GuestProcess, options: AgentOptions): Promise<void> {
    const seqs = this.#allocateSeqs(process);
    const entry = new SessionProcess(start.config.id, INIT_PROCESS, seqs, process);
    await this.#start(entry, Command.NEWCONTAINER, containerRequest(start, seqs), options);
  }

  async startProcess(
    containerId: string,
    cmd: Cmd,
    process: GuestProcess,
    options: AgentOptions,
  ): Promise<string> {
    const seqs = this.#allocateSeqs(process);
    const entry = new SessionProcess(containerId, `exec-${randomBytes(8).toString("hex")}`, seqs, process);
    const payload = { container: containerId, process: processRequest(entry.processId, cmd, seqs) };
    await this.#start(entry, Command.EXECCMD, payload, options);
    return entry.processId;
  }

  async killContainer(containerId: string, signal: number, options: KillOptions): Promise<boolean> {
    const request = { container: containerId, signal, ...(options.all ? { allProcesses: true } : {}) };
    const reply = await this.#request(Command.KILLCONTAINER, request, "agentCommand", options);
    return reply.ok;
  }

  /** Ends are told to all sessions alike, but an owner that has just come may have missed one. */
  isRunning(containerId: string, options: AgentOptions): Promise<boolean> {
    return this.killContainer(containerId, 0, options);
  }

  /** The agent keeps nothing. */
  async removeContainer(): Promise<void> {}

  async listProcesses(
    containerId: string,
    { format, args }: ProcessListOptions,
    options: AgentOptions,
  ): Promise<Uint8Array> {
    const request: ProcessList = { container: containerId, format, psargs: args ?? [] };
    const reply = await this.#command(PSCONTAINER, request, "agentCommand", options);
    return checkedList(format, reply);
  }

  /** The agent takes into use whatever is there, and from then on whatever comes. */
  async onlineCPUMem(_cpus: number, _cpuOnly: boolean, options: AgentOptions): Promise<void> {
    await this.#command(Command.ONLINECPUMEM, undefined, "agentStart", options);
  }

  async renewIdentity(random: Uint8Array, options: AgentOptions): Promise<void> {
    const now = Date.now();
    const seconds = Math.floor(now / 1000);
    const payload = encodeRenewal({ seconds, nanoseconds: (now - seconds * 1000) * 1_000_000, random });
    await this.#command(RENEW, payload, "agentCommand", options);
  }

  async stopPod(options: AgentOptions): Promise<boolean> {
    await this.#command(Command.DESTROYPOD, undefined, "agentStop", options);
    return true;
  }

  close(): void {
    this.connection.close();
    // Now, and not when the sockets have told of their end: a caller that goes on must find nothing held.
    this.#runClosers();
  }

  /** Joins an event of the guest to the process it is about. */
  takeEvent(event: ProcessAsyncEvent): void {
    const entry = this.#processes.get(keyOf(event.container, event.process));
    entry?.process.exit(event.status);
    this.#forgetFinished(entry);
    this.#options.events.onExit(event.container, event.process, event.status);
    for (const listener of this.#listeners) listener(event);
  }

  /** No exit is told any more: what has not ended and cannot end by its output is lost. */
  async takeControlEnd(): Promise<void> {
    this.#runClosers();
    if (this.router.isBlocked()) await this.#failProcesses((process) => !process.hasExited);
  }

  /** The session has ended: whatever has not ended is lost. */
  async takeClosed(error: HuskError | undefined): Promise<void> {
    this.#closed = true;
    this.#runClosers();
    this.#options.events.onClosed();
    await this.#failProcesses(() => true, error);
  }

  async #failProcesses(select: (process: GuestProcess) => boolean, known?: HuskError): Promise<void> {
    const lost = [...this.#processes.values()].filter(({ process }) => !process.finished && select(process));
    if (lost.length === 0) return;
    const error = known ?? (await this.#options.describeLoss(!this.isOwner));
    for (const entry of lost) {
      entry.process.fail(error);
      this.#forget(entry);
    }
  }

  #runClosers(): void {
    for (const closer of this.#closers.splice(0)) closer();
  }

  #allocateSeqs(process: GuestProcess): StreamSeqs {
    return { stdio: this.router.allocate(), stderr: process.terminal ? 0 : this.router.allocate() };
  }

  /** Output may come before the reply, so the streams are known before the command is sent. */
  async #start(
    entry: SessionProcess,
    command: number,
    payload: object,
    options: AgentOptions,
  ): Promise<void> {
    const key = keyOf(entry.containerId, entry.processId);
    this.#processes.set(key, entry);
    this.router.add(entry.numbers, entry);
    try {
      await this.#command(command, payload, "agentStart", options);
    } catch (error) {
      this.#forget(entry);
      throw error;
    }
    entry.process.start(this.#channelOf(entry));
  }

  #channelOf(entry: SessionProcess): ProcessChannel {
    const { containerId: container, processId: process, seqs } = entry;
    const ask = async (command: number, payload: object) => {
      await this.#request(command, { container, process, ...payload }, "agentCommand", {});
    };
    return {
      writeStdin: (data, done) => this.connection.write(seqs.stdio, data, done),
      closeStdin: () => this.connection.end(seqs.stdio),
      resumeOutput: () => {
        this.router.unblock(entry);
        this.#forgetFinished(entry);
      },
      signal: (signal) => ask(Command.SIGNALPROCESS, { signal }),
      resize: (row, column) => ask(Command.WINSIZE, { row, column }),
    };
  }

  #forgetFinished(entry: SessionProcess | undefined): void {
    if (entry?.process.finished) this.#forget(entry);
  }

  #forget(entry: SessionProcess): void {
    this.#processes.delete(keyOf(entry.containerId, entry.processId));
    this.router.delete(entry.numbers);
    this.router.unblock(entry);
  }

  async #request(
    command: number,
    payload: object | undefined,
    deadline: DeadlineName,
    options: AgentOptions,
  ): Promise<Reply> {
    const text = payload instanceof Uint8Array ? payload : payload && JSON.stringify(payload);
    const limits = { timeoutMs: this.deadline(deadline), signal: options.signal };
    try {
      return await this.connection.request(command, text, limits);
    } catch (error) {
      if (!isHuskError(error, "ERR_AGENT_DISCONNECTED")) throw error;
      throw await this.#options.describeLoss(!this.isOwner);
    }
  }

  async #command(
    command: number,
    payload: object | undefined,
    deadline: DeadlineName,
    options: AgentOptions,
  ) {
    const reply = await this.#request(command, payload, deadline, options);
    if (!reply.ok) throw new HuskError("ERR_AGENT_REFUSED", replyText(command, reply.payload));
    return reply.payload;
  }
}

function keyOf(containerId: string, processId: string): string {
  return `${containerId}\0${processId}`;
}
