import { randomUUID } from "node:crypto";
import type { Cmd, ProcessListOptions } from "../types/index.ts";
import type { GuestProcess } from "./guest-process.ts";
import {
  type Agent,
  type AgentSession,
  type ContainerStart,
  INIT_PROCESS,
  type OpenOptions,
} from "./types.ts";

/** Exit status of a process ended by a signal is 128 more. */
const SIGNAL_BASE = 128;

/** A session without a guest: containers run until they are killed, other processes end at once. */
class NoopSession implements AgentSession {
  readonly isOwner = true;
  readonly #options: OpenOptions;
  readonly #containers = new Map<string, GuestProcess>();
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

  /** There are no processes: an empty array, or the heading alone. */
  async listProcesses(_containerId: string, { format }: ProcessListOptions): Promise<Uint8Array> {
    return Buffer.from(format === "json" ? "[]" : "UID PID PPID C STIME TTY TIME CMD\n");
  }

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
  readonly keepsEnded = false;

  async open(options: OpenOptions): Promise<AgentSession> {
    options.mark?.("agent-ready");
    return new NoopSession(options);
  }
}
