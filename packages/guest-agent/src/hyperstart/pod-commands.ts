/** The commands about the pod, its containers and their processes. Reference: hyperstart.md 2. */

import * as sys from "tiny:sys";
import { Errno, hasErrno } from "@husk/tiny";
import {
  Command,
  type Container as ContainerSpec,
  encodeProcessAsyncEvent,
  encodeVersion,
  type Process as ProcessSpec,
  parseExecCommand,
  parseKillContainer,
  parseNewContainer,
  parsePod,
  parseProcessList,
  parseReadFile,
  parseRemoveContainer,
  parseSignalProcess,
  parseWindowSize,
  parseWriteFile,
} from "@husk/wire/hyperstart";
import type { Container } from "../core/container.ts";
import { readContainerFile, writeContainerFile } from "../core/container-files.ts";
import { raisePodLoopback } from "../core/network/links.ts";
import { type Attachment, Process } from "../core/process.ts";
import { listPids, tabulateProcesses } from "../core/process-list.ts";
import { beginKeepingOnline } from "../core/processors.ts";
import { Sandbox } from "../core/sandbox.ts";
import type { StreamChannel } from "../core/stream-channel.ts";
import { ChannelStreams } from "./channel-streams.ts";
import type { Dialect } from "./dialects.ts";
import { HyperstartPod } from "./hyperstart-pod.ts";
import { planProcess } from "./plan-process.ts";
import type { Answer } from "./server.ts";

/** The container that is none: its processes run in the agent's own namespaces. */
const AGENT_CONTAINER = "hyperstart";

/** What the commands work on. */
export interface Agent {
  streams: StreamChannel;
  /** what the host expects, as far as is known of it by now */
  readonly dialect: Dialect;
  /** sends a message of the control channel that answers nothing */
  send(command: number, payload: string): void;
  /** ends the agent, when the host has been answered */
  powerOff(): void;
}

/** See the head of the file. The state: one pod, and the processes outside it. */
export class PodCommands {
  readonly #agent: Agent;
  readonly #own = new Map<string, Process>();
  /** processes of containers by the stream of their input and output */
  readonly #byStream = new Map<number, Process>();
  #pod: HyperstartPod | undefined;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  get #running(): HyperstartPod {
    if (!this.#pod) throw new Error("the pod is not started");
    return this.#pod;
  }

  get #dialect(): Dialect {
    return this.#agent.dialect;
  }

  getVersion(): Answer {
    const { apiVersion } = this.#dialect;
    if (apiVersion === undefined) throw new Error("command GETVERSION is not supported");
    return { payload: encodeVersion(apiVersion) };
  }

  getPod(): Answer {
    if (!this.#dialect.hasGetPod) throw new Error("command GETPOD is not supported");
    return undefined;
  }

  #reportExit(container: string, process: string, code: number): void {
    if (this.#dialect.exitReport !== "event") return;
    this.#agent.send(Command.PROCESSASYNCEVENT, encodeProcessAsyncEvent(container, process, code));
  }

  #reportRelease(stdio: number, code: number): void {
    if (this.#dialect.exitReport === "frame") this.#agent.streams.sendExitCode(stdio, code);
  }

  async startPod(payload: Uint8Array): Promise<Answer> {
    if (this.#pod) throw new Error("the pod is started already");
    const spec = parsePod(payload);
    this.#pod = await HyperstartPod.start(spec, () => this.#dialect.keepsEnded);
    // The deprecated way to start containers, which are announced only when the whole command has succeeded.
    const started: Process[] = [];
    try {
      for (const container of spec.containers) started.push(await this.#startContainer(container));
    } catch (error) {
      // What was started is undone, so that the host may try again.
      for (const process of started) process.announce();
      await this.#pod.end();
      this.#pod = undefined;
      throw error;
    }
    return {
      afterwards: () => {
        for (const process of started) process.announce();
        // It takes as long as all the rest of the pod; the host's next command waits for it, the host itself need not.
        raisePodLoopback();
        if (this.#dialect.onlinesUnasked) void beginKeepingOnline();
      },
    };
  }

  async newContainer(payload: Uint8Array): Promise<Answer> {
    const spec = parseNewContainer(payload);
    if (spec.id === AGENT_CONTAINER) throw new Error(`container id "${spec.id}" is reserved`);
    const process = await this.#startContainer(spec);
    return { afterwards: () => process.announce() };
  }

  async #startContainer(spec: ContainerSpec): Promise<Process> {
    const { init } = await this.#running.startContainer(spec, this.#attach(spec.id, spec.process));
    this.#byStream.set(spec.process.stdio, init);
    return init;
  }

  /** Streams and ends of a process of a container. */
  #attach(containerId: string, { id, stdio, stderr }: ProcessSpec): Attachment {
    return {
      streams: new ChannelStreams(this.#agent.streams, stdio, stderr),
      onExited: (code) => this.#reportExit(containerId, id, code),
      onReleased: (code) => {
        this.#byStream.delete(stdio);
        this.#reportRelease(stdio, code);
      },
    };
  }

  async exec(payload: Uint8Array): Promise<Answer> {
    const { container, process: spec } = parseExecCommand(payload, this.#dialect.needsProcessId);
    const process =
      container === AGENT_CONTAINER ? await this.#execOwn(spec) : await this.#execIn(container, spec);
    return { afterwards: () => process.announce() };
  }

  async #execIn(containerId: string, spec: ProcessSpec): Promise<Process> {
    const container = this.#running.container(containerId);
    const plan = planProcess(spec, { hostname: this.#running.hostname, makeWorkdir: false });
    const process = await container.exec(plan, this.#attach(containerId, spec));
    this.#byStream.set(spec.stdio, process);
    return process;
  }

  async #execOwn(spec: ProcessSpec): Promise<Process> {
    if (this.#own.has(spec.id)) throw new Error(`process id "${spec.id}" is in use`);
    if (spec.terminal) throw new Error("a process of the agent has no terminal");
    const attachment = this.#attach(AGENT_CONTAINER, spec);
    const process = await Process.create(
      planProcess(spec, { hostname: "", makeWorkdir: false }),
      { devpts: "", pidNamespace: undefined, namespaces: 0, enter: () => {} },
      {
        ...attachment,
        onReleased: (code) => {
          attachment.onReleased(code);
          this.#own.delete(spec.id);
        },
      },
    );
    this.#own.set(spec.id, process);
    return process;
  }

  #process(container: string, id: string): Process {
    const process =
      container === AGENT_CONTAINER ? this.#own.get(id) : this.#running.container(container).process(id);
    if (!process) throw new Error(`no such process: "${id}"`);
    return process;
  }

  kill(payload: Uint8Array): Answer {
    const { container: id, signal, allProcesses } = parseKillContainer(payload);
    if (this.#isWellEnded(id)) return undefined;
    this.#running.container(id).signal(signal, allProcesses ?? false);
    return undefined;
  }

  /** Whether a container has ended, for a host to which it makes no difference. */
  #isWellEnded(id: string): boolean {
    const { toleratesEnded, keepsEnded } = this.#dialect;
    if (!toleratesEnded || !this.#pod) return false;
    return this.#pod.knows(id) ? !this.#pod.container(id).running : !keepsEnded;
  }

  /** Signals the process and its group: what a shell started in the foreground goes with it. */
  signalProcess(payload: Uint8Array): Answer {
    const { container, process: id, signal } = parseSignalProcess(payload);
    const process = this.#process(container, id);
    if (process.exited) return undefined;
    try {
      sys.kill(-process.pid, signal);
    } catch (error) {
      // It is ending at this moment.
      if (!hasErrno(error, Errno.ESRCH)) throw error;
    }
    return undefined;
  }

  resize(payload: Uint8Array): Answer {
    const size = parseWindowSize(payload);
    if ("process" in size) this.#process(size.container, size.process).resize(size.row, size.column);
    else this.#resizeStream(size.seq, size.row, size.column);
    return undefined;
  }

  #resizeStream(seq: number, row: number, column: number): void {
    const process = this.#byStream.get(seq);
    if (process) process.resize(row, column);
    else if (!this.#dialect.toleratesEnded) throw new Error(`no process has stream ${seq}`);
  }

  async remove(payload: Uint8Array): Promise<Answer> {
    await this.#running.remove(parseRemoveContainer(payload).container);
    return undefined;
  }

  #runningContainer(id: string): Container {
    const container = this.#running.container(id);
    if (!container.running) throw new Error(`container "${id}" is not running`);
    return container;
  }

  async listProcesses(payload: Uint8Array): Promise<Answer> {
    const { container: id, format, psargs } = parseProcessList(payload);
    const container = this.#runningContainer(id);
    const pids = container.pids();
    return {
      payload: await (format === "json" ? listPids(pids) : tabulateProcesses(pids, psargs, container)),
    };
  }

  async readFile(payload: Uint8Array): Promise<Answer> {
    const { container, file } = parseReadFile(payload);
    return { payload: await readContainerFile(this.#runningContainer(container), file) };
  }

  async writeFile(payload: Uint8Array): Promise<Answer> {
    const { container, file, data } = parseWriteFile(payload);
    await writeContainerFile(this.#runningContainer(container), file, data);
    return undefined;
  }

  async #endPod(): Promise<void> {
    await this.#pod?.end();
    this.#pod = undefined;
  }

  /** CLEARPOD. Without a pod there is nothing to end. */
  async clearPod(): Promise<Answer> {
    await this.#endPod();
    await Sandbox.restock();
    return undefined;
  }

  async destroyPod(): Promise<Answer> {
    await this.#endPod();
    sys.sync();
    return this.#dialect.powersOff ? { afterwards: () => this.#agent.powerOff() } : undefined;
  }
}
