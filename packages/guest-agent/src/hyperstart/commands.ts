/** What each hyperstart command does, in the words of the core. Reference: hyperstart.md 2. */

import * as sys from "tiny:sys";
import { Errno, exists, hasErrno, makeDirectories, readText, writeControl } from "@husk/tiny";
import {
  API_VERSION,
  Command,
  encodeProcessAsyncEvent,
  encodeVersion,
  parseExecCommand,
  parseKillContainer,
  parseNewContainer,
  parsePod,
  parseRemoveContainer,
  parseSignalProcess,
  parseWindowSize,
} from "@husk/wire/hyperstart";
import { raiseLoopback } from "../boot/loopback.ts";
import { Pod } from "../core/pod.ts";
import { Process } from "../core/process.ts";
import type { StreamChannel } from "../core/stream-channel.ts";
import { isLogged, log } from "../log.ts";
import type { Answer, CommandHandler } from "./server.ts";

/** The container that is none: its processes run in the agent's own namespaces. */
const AGENT_CONTAINER = "hyperstart";

/** What the commands work on. */
export interface Agent {
  streams: StreamChannel;
  /** sends a message of the control channel that answers nothing */
  send(command: number, payload: string): void;
  /** ends the agent, when the host has been answered */
  powerOff(): void;
}

/** The commands' state: one pod, and the processes outside it. */
class Commands {
  readonly #agent: Agent;
  readonly #own = new Map<string, Process>();
  #pod: Pod | undefined;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  get #running(): Pod {
    if (!this.#pod) throw new Error("the pod is not started");
    return this.#pod;
  }

  #reportExit(container: string, process: string, code: number): void {
    this.#agent.send(Command.PROCESSASYNCEVENT, encodeProcessAsyncEvent(container, process, code));
  }

  async startPod(payload: Uint8Array): Promise<Answer> {
    if (this.#pod) throw new Error("the pod is started already");
    const spec = parsePod(payload);
    this.#pod = await Pod.start(spec, {
      streams: this.#agent.streams,
      onExited: (container, process, code) => this.#reportExit(container, process, code),
    });
    // The deprecated way to start containers, which are announced only when the whole command has succeeded.
    const started: Process[] = [];
    try {
      for (const container of spec.containers) started.push((await this.#pod.startContainer(container)).init);
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
        raiseLoopback();
      },
    };
  }

  async newContainer(payload: Uint8Array): Promise<Answer> {
    const spec = parseNewContainer(payload);
    if (spec.id === AGENT_CONTAINER) throw new Error(`container id "${spec.id}" is reserved`);
    const container = await this.#running.startContainer(spec);
    return { afterwards: () => container.init.announce() };
  }

  async exec(payload: Uint8Array): Promise<Answer> {
    const { container, process: spec } = parseExecCommand(payload);
    const process =
      container === AGENT_CONTAINER
        ? await this.#execOwn(spec)
        : await this.#running.container(container).exec(spec);
    return { afterwards: () => process.announce() };
  }

  async #execOwn(spec: Parameters<typeof Process.start>[0]): Promise<Process> {
    if (this.#own.has(spec.id)) throw new Error(`process id "${spec.id}" is in use`);
    if (spec.terminal) throw new Error("a process of the agent has no terminal");
    const process = await Process.start(
      spec,
      {
        hostname: "",
        devpts: "",
        pidNamespace: undefined,
        namespaces: 0,
        makeWorkdir: false,
        hasConsole: false,
        enter: () => {},
      },
      this.#agent.streams,
      {
        onExited: (code) => this.#reportExit(AGENT_CONTAINER, spec.id, code),
        onReleased: () => this.#own.delete(spec.id),
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
    const { container, signal } = parseKillContainer(payload);
    this.#running.container(container).signal(signal, false);
    return undefined;
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
    const { container, process, row, column } = parseWindowSize(payload);
    this.#process(container, process).resize(row, column);
    return undefined;
  }

  async remove(payload: Uint8Array): Promise<Answer> {
    const container = this.#running.container(parseRemoveContainer(payload).container);
    if (container.running) throw new Error(`container "${container.id}" is running`);
    await container.freed;
    return undefined;
  }

  async destroyPod(): Promise<Answer> {
    await this.#pod?.end();
    this.#pod = undefined;
    sys.sync();
    return { afterwards: () => this.#agent.powerOff() };
  }
}

/** The agent's own memory, for the one who measures. */
function logMemory(): void {
  const status = readText("/proc/self/status");
  const kilobytes = (name: string) => new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? "?";
  log("debug", `memory rss ${kilobytes("VmRSS")} anon ${kilobytes("RssAnon")}`);
}

function rescanPci(): Answer {
  const rescan = "/sys/bus/pci/rescan";
  if (exists(rescan)) writeControl(rescan, "1");
  return undefined;
}

/** The commands by their codes; one that is not here is answered with ERROR. */
export function makeCommands(agent: Agent): ReadonlyMap<number, CommandHandler> {
  makeDirectories("/run/husk");
  const commands = new Commands(agent);
  return new Map<number, CommandHandler>([
    [Command.GETVERSION, () => ({ payload: encodeVersion(API_VERSION) })],
    [Command.STARTPOD, (payload) => commands.startPod(payload)],
    [Command.DESTROYPOD, () => commands.destroyPod()],
    [Command.EXECCMD, (payload) => commands.exec(payload)],
    [Command.READY, rescanPci],
    [Command.WINSIZE, (payload) => commands.resize(payload)],
    [
      Command.PING,
      () => {
        if (isLogged("debug")) logMemory();
        return undefined;
      },
    ],
    [Command.NEWCONTAINER, (payload) => commands.newContainer(payload)],
    [Command.KILLCONTAINER, (payload) => commands.kill(payload)],
    [Command.SIGNALPROCESS, (payload) => commands.signalProcess(payload)],
    [Command.REMOVECONTAINER, (payload) => commands.remove(payload)],
  ]);
}
