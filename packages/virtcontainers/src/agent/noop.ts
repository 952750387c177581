import { randomUUID } from "node:crypto";
import type { Cmd, ContainerStats, LinuxResources, ProcessListOptions } from "../types/index.ts";
import type { GuestProcess } from "./guest-process.ts";
import {
  type Agent,
  type AgentSession,
  type ContainerControl,
  type ContainerStart,
  INIT_PROCESS,
  type OpenOptions,
} from "./types.ts";

/** Exit status of a process ended by a signal is 128 more. */
const SIGNAL_BASE = 128;

/** Limits of a container; -1: none. */
interface Limits {
  memory?: number;
  pids?: number;
}

function limitOf(limit = -1): number | undefined {
  return limit === -1 ? undefined : limit;
}

/** A session without a guest: containers run until they are killed, other processes end at once. */
class NoopSession implements AgentSession, ContainerControl {
  readonly isOwner = true;
  readonly #options: OpenOptions;
  readonly #containers = new Map<string, GuestProcess>();
  readonly #limits = new Map<string, Limits>();
  #closed = false;

  constructor(options: OpenOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async startPod(): Promise<void> {}

  async setupInterface(): Promise<void> {}

  async setupRoutes(): Promise<void> {}

  async startContainer({ config }: ContainerStart, process: GuestProcess): Promise<void> {
    this.#containers.set(config.id, process);
    this.#limits.delete(config.id);
    await this.updateContainer(config.id, config.resources ?? {});
    start(process, (signal) => this.#kill(config.id, signal));
  }

  async startProcess(_containerId: string, _cmd: Cmd, process: GuestProcess): Promise<string> {
    start(process, async () => {});
    process.endOutput();
    process.exit(0);
    return randomUUID();
  }

  async isRunning(): Promise<boolean> {
    return true;
  }

  async removeContainer(): Promise<void> {}

  async killContainer(containerId: string, signal: number): Promise<boolean> {
    if (signal !== 0) await this.#kill(containerId, signal);
    return true;
  }

  async signalProcess(): Promise<void> {}

  /** There are no processes: an empty array, or the heading alone. */
  async listProcesses(_containerId: string, { format }: ProcessListOptions): Promise<Uint8Array> {
    return Buffer.from(format === "json" ? "[]" : "UID PID PPID C STIME TTY TIME CMD\n");
  }

  async updateContainer(containerId: string, { memory, pids }: LinuxResources): Promise<void> {
    const limits = this.#limits.get(containerId) ?? {};
    if (memory?.limit) limits.memory = memory.limit;
    if (pids) limits.pids = pids.limit;
    this.#limits.set(containerId, limits);
  }

  /** Nothing is used, within the limits that were told. */
  async statsContainer(containerId: string): Promise<ContainerStats> {
    const { memory, pids } = this.#limits.get(containerId) ?? {};
    return {
      cpu: { usageUs: 0, userUs: 0, systemUs: 0, periods: 0, throttledPeriods: 0, throttledUs: 0 },
      memory: { usage: 0, maxUsage: 0, limit: limitOf(memory), cache: 0, swapUsage: 0 },
      pids: { current: 0, limit: limitOf(pids) },
      blockIo: [],
      network: [],
    };
  }

  async pauseContainer(): Promise<void> {}

  async resumeContainer(): Promise<void> {}

  async onlineCPUMem(): Promise<void> {}

  rootOf(containerId: string): string {
    return `/run/${containerId}`;
  }

  async copyFile(): Promise<void> {}

  async stopPod(): Promise<boolean> {
    for (const containerId of this.#containers.keys()) await this.#kill(containerId, 15);
    return true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.events.onClosed();
  }

  async #kill(containerId: string, signal: number): Promise<void> {
    const process = this.#containers.get(containerId);
    this.#containers.delete(containerId);
    process?.endOutput();
    process?.exit(SIGNAL_BASE + signal);
    this.#options.events.onExit(containerId, INIT_PROCESS, SIGNAL_BASE + signal);
  }
}

function start(process: GuestProcess, signal: (signal: number) => Promise<void>): void {
  process.start({
    writeStdin: (_data, done) => done(),
    closeStdin: () => {},
    resumeOutput: () => {},
    signal,
    resize: async () => {},
  });
}

/** The agent for tests of what is above it. */
export class NoopAgent implements Agent {
  readonly type = "noop";
  readonly ports = [];
  readonly kernelParams = [];
  readonly keepsEnded = false;

  async open(options: OpenOptions): Promise<AgentSession> {
    options.mark?.("agent-ready");
    return new NoopSession(options);
  }
}
