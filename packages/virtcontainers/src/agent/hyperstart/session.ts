import { randomBytes } from "node:crypto";
import {
  CLEARPOD,
  Command,
  type ProcessAsyncEvent,
  type ProcessList,
  PSCONTAINER,
  RENEW,
} from "@husk/wire/hyperstart";
import { HuskError, isHuskError } from "../../errors/index.ts";
import { type DeadlineName, deadlineMs } from "../../hypervisor/deadlines.ts";
import type { GuestInterface } from "../../network/types.ts";
import type { Cmd, ProcessListOptions } from "../../types/index.ts";
import type { ProcessChannel } from "../guest-process.ts";
import { checkedList } from "../process-list.ts";
import {
  type AgentOptions,
  type AgentSession,
  type Carrier,
  type ContainerStart,
  type IdentityControl,
  INIT_PROCESS,
  type KillOptions,
  type OpenOptions,
  type PodStart,
  type RehearsalControl,
  type ResourceControl,
} from "../types.ts";
import { type CarriedProcess, carriedOf, isUnreachable, keyOf } from "./carried-process.ts";
import { interfaceRequest, routesRequest } from "./network-requests.ts";
import { replyText } from "./reply-text.ts";
import { containerRequest, podRequest, processRequest, renewalRequest, type StreamSeqs } from "./requests.ts";
import type { CommandOptions, ProcessName, Reply, Transport, TransportEvents } from "./transport.ts";

/** A session with hyperstart, whatever the way to it. */
export class HyperstartSession<Way extends Transport = Transport>
  implements AgentSession, ResourceControl, IdentityControl, RehearsalControl
{
  readonly transport: Way;
  readonly #options: OpenOptions;
  readonly #processes = new Map<string, CarriedProcess>();
  #closed = false;

  constructor(options: OpenOptions, connect: (events: TransportEvents) => Way) {
    this.#options = options;
    this.transport = connect({
      onExit: (event) => this.#takeExit(event),
      onOutputEnd: (name) => this.#forgetFinished(this.#processes.get(keyOf(name))),
      onStreamsLost: (name, error) =>
        void this.#failProcesses((entry) => keyOf(entry) === keyOf(name), error),
      onControlEnded: () => void this.#failProcesses(isUnreachable),
      onClosed: (error) => void this.#takeClosed(error),
    });
  }

  get closed(): boolean {
    return this.#closed || this.transport.closed;
  }

  get isOwner(): boolean {
    return this.transport.isOwner;
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

  async startContainer(start: ContainerStart, carrier: Carrier, options: AgentOptions): Promise<void> {
    const name = { containerId: start.config.id, processId: INIT_PROCESS };
    const request = (seqs: StreamSeqs) => containerRequest(start, seqs);
    await this.#start(name, carrier, { command: Command.NEWCONTAINER, request }, options);
  }

  async startProcess(
    containerId: string,
    cmd: Cmd,
    carrier: Carrier,
    options: AgentOptions,
  ): Promise<string> {
    const processId = `exec-${randomBytes(8).toString("hex")}`;
    const request = (seqs: StreamSeqs) => ({
      container: containerId,
      process: processRequest(processId, cmd, seqs),
    });
    await this.#start({ containerId, processId }, carrier, { command: Command.EXECCMD, request }, options);
    return processId;
  }

  async killContainer(containerId: string, signal: number, options: KillOptions): Promise<boolean> {
    const request = { container: containerId, signal, ...(options.all ? { allProcesses: true } : {}) };
    const reply = await this.#request(Command.KILLCONTAINER, request, "agentCommand", options);
    return reply.ok;
  }

  async signalProcess(
    container: string,
    process: string,
    signal: number,
    options: AgentOptions,
  ): Promise<void> {
    await this.#request(Command.SIGNALPROCESS, { container, process, signal }, "agentCommand", options);
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
    await this.#command(RENEW, renewalRequest(random), "agentCommand", options);
  }

  async clearPod(options: AgentOptions): Promise<void> {
    await this.#command(CLEARPOD, undefined, "agentStop", options);
  }

  async stopPod(options: AgentOptions): Promise<boolean> {
    await this.#command(Command.DESTROYPOD, undefined, "agentStop", options);
    return true;
  }

  close(): void {
    this.transport.close();
  }

  /** Joins the end of a process to that process. */
  #takeExit(event: ProcessAsyncEvent): void {
    const entry = this.#processes.get(keyOf({ containerId: event.container, processId: event.process }));
    entry?.process.exit(event.status);
    this.#forgetFinished(entry);
    this.#options.events.onExit(event.container, event.process, event.status);
  }

  /** The session has ended: whatever has not ended is lost. */
  async #takeClosed(error: HuskError | undefined): Promise<void> {
    this.#closed = true;
    this.#options.events.onClosed();
    await this.#failProcesses(() => true, error);
  }

  async #failProcesses(select: (entry: CarriedProcess) => boolean, known?: HuskError): Promise<void> {
    const lost = [...this.#processes.values()].filter((entry) => !entry.process.finished && select(entry));
    if (lost.length === 0) return;
    const error = known ?? (await this.#describeLoss());
    for (const entry of lost) {
      entry.process.fail(error);
      this.#forget(entry);
    }
  }

  #describeLoss(): Promise<HuskError> {
    return this.#options.describeLoss(!this.isOwner);
  }

  /** Output may come before the reply, so the process is known before the command is sent. */
  async #start(
    name: ProcessName,
    carrier: Carrier,
    { command, request }: { command: number; request: (seqs: StreamSeqs) => object },
    options: AgentOptions,
  ): Promise<void> {
    const limits = this.#limits("agentStart", options);
    const prepared = await this.#explainLoss(this.transport.prepare(name, carrier, limits));
    const entry = carriedOf(name, carrier, prepared);
    if (entry) this.#processes.set(keyOf(name), entry);
    try {
      const payload = request(prepared.seqs);
      checkReply(command, await this.#explainLoss(prepared.start(command, payload, limits)));
    } catch (error) {
      if (entry) this.#forget(entry);
      else prepared.release();
      throw error;
    }
    if (entry) entry.process.start(this.#channelOf(entry));
    else prepared.release();
  }

  #channelOf(entry: CarriedProcess): ProcessChannel {
    const { containerId: container, processId: process, streams } = entry;
    const ask = async (command: number, payload: object) => {
      await this.#request(command, { container, process, ...payload }, "agentCommand", {});
    };
    return {
      writeStdin: (data, done) => streams.writeStdin(data, done),
      closeStdin: () => streams.closeStdin(),
      resumeOutput: () => {
        streams.resumeOutput();
        this.#forgetFinished(entry);
      },
      signal: (signal) => ask(Command.SIGNALPROCESS, { signal }),
      resize: (row, column) => ask(Command.WINSIZE, { row, column }),
    };
  }

  #forgetFinished(entry: CarriedProcess | undefined): void {
    if (entry?.process.finished) this.#forget(entry);
  }

  #forget(entry: CarriedProcess): void {
    this.#processes.delete(keyOf(entry));
    entry.release();
  }

  #limits(deadline: DeadlineName, { signal }: AgentOptions): CommandOptions {
    return { timeoutMs: deadlineMs(deadline, this.#options.deadlineFactor), signal };
  }

  #request(
    command: number,
    payload: object | undefined,
    deadline: DeadlineName,
    options: AgentOptions,
  ): Promise<Reply> {
    return this.#explainLoss(this.transport.request(command, payload, this.#limits(deadline, options)));
  }

  /** An end of the connection is told with what has ended it. */
  async #explainLoss<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (!isHuskError(error, "ERR_AGENT_DISCONNECTED")) throw error;
      throw await this.#describeLoss();
    }
  }

  async #command(
    command: number,
    payload: object | undefined,
    deadline: DeadlineName,
    options: AgentOptions,
  ) {
    return checkReply(command, await this.#request(command, payload, deadline, options));
  }
}

/** @returns what was answered @throws HuskError ERR_AGENT_REFUSED */
function checkReply(command: number, reply: Reply): Uint8Array {
  if (!reply.ok) throw new HuskError("ERR_AGENT_REFUSED", replyText(command, reply.payload));
  return reply.payload;
}
