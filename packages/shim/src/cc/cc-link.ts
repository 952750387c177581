/** The way of cc-shim to its process: over cc-proxy, and over the next one when that has died. */

import * as sys from "tiny:sys";
import { CLOCK_MONOTONIC, callSoon, Errno, errorText, hasErrno, startTimer, stopTimer } from "@husk/tiny";
import type { LinkEvents, OutputName, OutputPositions, ProcessLink } from "../core/process-link.ts";
import { proxyPid, reviveProxy } from "../core/revive-proxy.ts";
import { ProxyConnection } from "./proxy-connection.ts";

/** Milliseconds between two attempts to reach a proxy. */
const RETRY_MS = 100;
/** Bytes that may be told and not written: with more, nothing is read. */
const MAX_UNWRITTEN_BYTES = 256 * 1024;
/** Signals that may wait for a proxy. */
const MAX_WAITING_SIGNALS = 64;

/** What leads to the process. */
export interface CcLinkOptions {
  /** path of the proxy's socket */
  readonly socketPath: string;
  readonly token: string;
  /** seconds for which a lost proxy is tried again */
  readonly reconnectSeconds: number;
  /** path of the proxy.json by which a dead one is brought back; missing: others may do so */
  readonly proxyCommand: string | undefined;
  /** no shim comes in the place of this one */
  readonly transient: boolean;
}

/** Something for the process: done when there is a proxy that takes it. */
type Message = (proxy: ProxyConnection) => void;

/** See the head of the file. */
export class CcLink implements ProcessLink {
  readonly #options: CcLinkOptions;
  readonly #events: LinkEvents;
  #proxy: ProxyConnection | undefined;
  #proxyPid: number | undefined;
  /** the proxy has taken us, now or once */
  #isAccepted = false;
  #hasBegun = false;
  #isOver = false;
  #keeps = false;
  #come: OutputPositions = { stdout: 0, stderr: 0 };
  #written: OutputPositions = { stdout: 0, stderr: 0 };
  #isAcknowledging = false;
  readonly #messages: Message[] = [];
  #waitingSignals = 0;
  /** when a lost proxy is given up, in milliseconds of CLOCK_MONOTONIC */
  #deadline = 0;
  #timer: number | undefined;
  #problem = "";

  constructor(options: CcLinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
  }

  start(received: OutputPositions): void {
    this.#come = { ...received };
    this.#written = { ...received };
    this.#startDeadline();
    this.#connect();
  }

  writeStdin(data: Uint8Array, taken: () => void): void {
    this.#send((proxy) => {
      proxy.sendInput(data);
      if (proxy.blocked) this.#messages.unshift(taken);
      else taken();
    });
  }

  closeStdin(): void {
    this.#send((proxy) => proxy.sendInput(new Uint8Array(0)));
  }

  signal(signal: number): void {
    this.#sendSignal((proxy) => proxy.sendSignal(signal));
  }

  resize(rows: number, columns: number): void {
    // The protocol has no such size; a terminal that says so has none.
    if (rows > 0 && columns > 0) this.#sendSignal((proxy) => proxy.sendSize(rows, columns));
  }

  close(): void {
    this.#isOver = true;
    stopTimer(this.#timer);
    this.#proxy?.disconnect();
    this.#proxy = undefined;
  }

  #sendSignal(message: Message): void {
    if (this.#waitingSignals >= MAX_WAITING_SIGNALS) return;
    this.#waitingSignals++;
    this.#send((proxy) => {
      this.#waitingSignals--;
      message(proxy);
    });
  }

  #send(message: Message): void {
    if (this.#isOver) return;
    this.#messages.push(message);
    this.#flush();
  }

  #flush(): void {
    while (this.#proxy && this.#isAccepted && !this.#proxy.blocked) {
      const message = this.#messages.shift();
      if (!message) return;
      message(this.#proxy);
    }
  }

  #connect(): void {
    const { socketPath, token, transient } = this.#options;
    try {
      this.#proxy = new ProxyConnection(
        socketPath,
        { token, received: this.#come, transient },
        {
          onAccepted: (keeps) => this.#accepted(keeps),
          onRefused: (reason) => this.#giveUp(reason),
          onOutput: (name, data) => this.#takeOutput(name, data),
          onExit: (code) => this.#exited(code),
          onWritable: () => this.#flush(),
          onEnd: (reason) => this.#lostProxy(reason ?? "the proxy has ended"),
        },
      );
      this.#proxyPid = proxyPid(this.#options.proxyCommand);
    } catch (error) {
      this.#lostProxy(errorText(error));
    }
  }

  #accepted(keeps: boolean): void {
    this.#keeps = keeps;
    this.#isAccepted = true;
    this.#hasBegun = true;
    this.#holdIfFull();
    this.#flush();
  }

  #takeOutput(name: OutputName, data: Uint8Array): void {
    const { length } = data;
    this.#come[name] += length;
    let isWritten = false;
    this.#events.onOutput(name, data, () => {
      if (isWritten) return;
      isWritten = true;
      this.#noteWritten(name, length);
    });
    this.#holdIfFull();
  }

  get #unwrittenBytes(): number {
    return this.#come.stdout - this.#written.stdout + this.#come.stderr - this.#written.stderr;
  }

  #holdIfFull(): void {
    if (this.#unwrittenBytes >= MAX_UNWRITTEN_BYTES) this.#proxy?.pause();
  }

  #noteWritten(name: OutputName, length: number): void {
    this.#written[name] += length;
    if (this.#unwrittenBytes < MAX_UNWRITTEN_BYTES) this.#proxy?.resume();
    if (this.#isAcknowledging) return;
    // Once for all that is written in this turn.
    this.#isAcknowledging = true;
    callSoon(() => {
      this.#isAcknowledging = false;
      if (this.#keeps && this.#isAccepted && !this.#isOver) this.#proxy?.acknowledge(this.#written);
    });
  }

  #exited(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.onOutputEnd("stdout");
    this.#events.onOutputEnd("stderr");
    this.#events.onExit(code);
  }

  #lostProxy(problem: string): void {
    this.#proxy = undefined;
    if (this.#isOver) return;
    this.#problem = problem;
    if (this.#isAccepted) this.#startDeadline();
    this.#isAccepted = false;
    if (!this.#hasBegun && this.#options.proxyCommand === undefined) this.#giveUp(problem);
    else void this.#reconnect();
  }

  #startDeadline(): void {
    this.#deadline = sys.clock(CLOCK_MONOTONIC) + this.#options.reconnectSeconds * 1000;
  }

  /** Brings a proxy back, or waits until others have. */
  async #reconnect(): Promise<void> {
    const { proxyCommand } = this.#options;
    if (proxyCommand === undefined) return this.#retry(RETRY_MS);
    try {
      const isNew = await reviveProxy(proxyCommand, this.#proxyPid);
      this.#retry(isNew ? 0 : RETRY_MS);
    } catch (error) {
      this.#problem = errorText(error);
      // Nobody is to bring it back: the pod is being stopped.
      if (hasErrno(error, Errno.ENOENT)) this.#giveUp(`the proxy is gone for good (${this.#problem})`);
      else this.#retry(RETRY_MS);
    }
  }

  #retry(delayMs: number): void {
    if (this.#isOver) return;
    const { reconnectSeconds } = this.#options;
    if (sys.clock(CLOCK_MONOTONIC) + delayMs > this.#deadline)
      this.#giveUp(`the proxy cannot be reached (${this.#problem}); it was tried for ${reconnectSeconds} s`);
    else this.#timer = startTimer(delayMs, () => this.#connect());
  }

  #giveUp(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#hasBegun) this.#events.onLost(reason);
    else this.#events.onRefused(reason);
  }
}
