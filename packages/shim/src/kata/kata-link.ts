/** The way of kata-shim to its process: over kata-proxy, and over the next one when that has died. */

import { errorText, startTimer, stopTimer } from "@husk/tiny";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import type { LinkEvents, OutputName, OutputPositions, ProcessLink } from "../core/process-link.ts";
import { proxyPid, reviveProxy } from "../core/revive-proxy.ts";
import { AgentConnection } from "./agent-connection.ts";
import { OutputPump, type ProcessName } from "./output-pump.ts";
import { Requests } from "./requests.ts";

/** What our agent says behind the last byte of an output. */
const END_OF_OUTPUT = "EOF";
/** Times that an agent is looked for, one after the other, while none answers. */
const MAX_ATTEMPTS = 4;
/** Milliseconds before the first attempt that follows one in vain; then twice as many. */
const FIRST_PAUSE_MS = 50;

/** What leads to the process. */
export interface KataLinkOptions extends ProcessName {
  /** where the agent is reached */
  readonly agentUrl: string;
  /** whether it has a terminal, and so one output */
  readonly terminal: boolean;
  /** path of the proxy.json by which a dead proxy is brought back; missing: it is not */
  readonly proxyCommand: string | undefined;
}

/** See the head of the file. */
export class KataLink implements ProcessLink {
  readonly #options: KataLinkOptions;
  readonly #process: ProcessName;
  readonly #events: LinkEvents;
  readonly #requests: Requests;
  #pumps: OutputPump[] = [];
  #connection: AgentConnection | undefined;
  #proxyPid: number | undefined;
  #isOurs = false;
  /** the agent has told something of the process */
  #hasBegun = false;
  #isOver = false;
  #waitsForExit = false;
  #exitCode: number | undefined;
  /** attempts to reach the agent since it last answered */
  #attempts = 0;
  #timer: number | undefined;

  constructor(options: KataLinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#process = { containerId: options.containerId, execId: options.execId };
    this.#events = events;
    this.#requests = new Requests(this.#process);
  }

  start(received: OutputPositions): void {
    const names: OutputName[] = this.#options.terminal ? ["stdout"] : ["stdout", "stderr"];
    this.#pumps = names.map((name) => this.#makePump(name, received[name]));
    this.#connect();
  }

  writeStdin(data: Uint8Array, taken: () => void): void {
    if (this.#isOver) taken();
    else this.#requests.writeStdin(data, taken);
  }

  closeStdin(): void {
    this.#requests.closeStdin();
  }

  signal(signal: number): void {
    this.#requests.signal(signal);
  }

  resize(rows: number, columns: number): void {
    this.#requests.resize(rows, columns);
  }

  close(): void {
    this.#isOver = true;
    stopTimer(this.#timer);
    for (const pump of this.#pumps) pump.tell();
    this.#connection?.close();
    this.#connection = undefined;
  }

  #makePump(name: OutputName, received: number): OutputPump {
    return new OutputPump(name, this.#process, received, {
      onOutput: (of, data, written) => {
        this.#hasBegun = true;
        this.#events.onOutput(of, data, written);
      },
      onEnd: (error) => {
        if (this.#isRefusal(error)) return;
        if (this.#isFault(error)) {
          this.#giveUp(`the agent does not go on with its ${name}: ${error.message}`);
          return;
        }
        this.#events.onOutputEnd(name);
        this.#settleExit();
      },
    });
  }

  #connect(): void {
    this.#attempts += 1;
    try {
      const connection = new AgentConnection(this.#options.agentUrl, (reason) => this.#lose(reason));
      this.#connection = connection;
      this.#proxyPid = proxyPid(this.#options.proxyCommand);
      connection.greet((answer) => this.#begin(connection, answer));
    } catch (error) {
      this.#lose(errorText(error));
    }
  }

  #begin(connection: AgentConnection, answer: { isOurs: boolean } | TtrpcError): void {
    if (answer instanceof TtrpcError) {
      this.#giveUp(`the agent does not say who it is: ${answer.message}`);
      return;
    }
    this.#attempts = 0;
    this.#isOurs = answer.isOurs;
    if (answer.isOurs) this.#askWhetherThere(connection);
    else this.#hasBegun = true;
    for (const pump of this.#pumps) if (!pump.isOver) pump.begin(connection, answer.isOurs);
    this.#waitsForExit = false;
    this.#settleExit();
    if (!this.#isOver) this.#requests.begin(connection);
  }

  /** A process that says nothing may not be there at all: reading nothing of its output tells. */
  #askWhetherThere(connection: AgentConnection): void {
    if (this.#hasBegun) return;
    connection.call("ReadStdout", { ...this.#process, len: 0, acknowledged: 0n }, (answer) => {
      if (!(answer instanceof TtrpcError)) this.#hasBegun = true;
      else if (!this.#isRefusal(answer))
        this.#giveUp(`the agent does not read its output: ${answer.message}`);
    });
  }

  /**
   * The exit code is told when all output has been. Other agents forget a process whose end they have told, and its
   * output with it: they are asked behind that. It takes as long as the process does.
   */
  #settleExit(): void {
    if (this.#isOver) return;
    const outputIsOver = this.#pumps.every((pump) => pump.isOver);
    if (this.#exitCode === undefined) {
      if (this.#isOurs || outputIsOver) this.#awaitExit();
    } else if (outputIsOver) {
      if (this.#options.terminal) this.#events.onOutputEnd("stderr");
      this.#isOver = true;
      this.#events.onExit(this.#exitCode);
    }
  }

  #awaitExit(): void {
    if (this.#waitsForExit) return;
    this.#waitsForExit = true;
    this.#connection?.call("WaitProcess", this.#process, (answer) => {
      if (!(answer instanceof TtrpcError)) {
        // Of what a guest says, a process can only end with this.
        this.#exitCode = answer.status & 0xff;
        this.#hasBegun = true;
        this.#settleExit();
      } else if (!this.#isRefusal(answer)) this.#giveUp(`the agent does not wait for it: ${answer.message}`);
    });
  }

  /** Other agents have many words for the end of an output; ours says when it is something else. */
  #isFault({ message }: TtrpcError): boolean {
    return this.#isOurs && this.#exitCode === undefined && message !== END_OF_OUTPUT;
  }

  /** Whether the agent has no such process: there is nothing to be had then. */
  #isRefusal({ code, message }: TtrpcError): boolean {
    if (code !== StatusCode.NOT_FOUND || this.#exitCode !== undefined) return false;
    this.#giveUp(`the agent does not know the process: ${message}`);
    return true;
  }

  #lose(reason: string): void {
    this.#connection = undefined;
    this.#requests.end();
    if (this.#isOver) return;
    const { proxyCommand } = this.#options;
    if (proxyCommand === undefined || this.#attempts >= MAX_ATTEMPTS) this.#giveUp(unreachable(reason));
    else void this.#reconnect(proxyCommand, reason);
  }

  async #reconnect(proxyCommand: string, reason: string): Promise<void> {
    try {
      const isNew = await reviveProxy(proxyCommand, this.#proxyPid);
      // One that somebody else is starting may not listen yet.
      const pauseMs = isNew || this.#attempts === 0 ? 0 : FIRST_PAUSE_MS * 2 ** this.#attempts;
      if (!this.#isOver) this.#timer = startTimer(pauseMs, () => this.#connect());
    } catch (error) {
      this.#giveUp(unreachable(`${reason}; no other proxy can be started: ${errorText(error)}`));
    }
  }

  #giveUp(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#hasBegun) this.#events.onLost(reason);
    else this.#events.onRefused(reason);
  }
}

function unreachable(reason: string): string {
  return `the agent cannot be reached: ${reason}`;
}
