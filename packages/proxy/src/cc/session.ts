/** One process as the proxy has it: its token, its streams in the guest, and the shim that carries it. */

import {
  FRAME_HEADER_BYTES,
  MAX_STREAM_BYTES,
  ProxyCommand,
  ProxyStream,
  type StreamPositions,
} from "@husk/wire/cc-proxy";
import { log } from "../core/log.ts";
import { Waiters } from "../core/waiters.ts";
import type { Client } from "./client.ts";
import { OutputWindow } from "./output-window.ts";

/** Bytes of an output that are kept for a shim; with more, the guest's output is not read. */
const WINDOW_BYTES = 256 * 1024;
/** Bytes of input that are kept until the process is started. */
const MAX_EARLY_INPUT_BYTES = 64 * 1024;

// Shared: a frame is written, or copied, before the next is made.
const scratch = new Uint8Array(FRAME_HEADER_BYTES + MAX_STREAM_BYTES);

/** Which process of the guest a session has. */
export interface SessionProcess {
  container: string;
  /** missing: it has none, and is known by its streams (Clear Containers) */
  id?: string;
  terminal: boolean;
  /** whether it is its container's first */
  isFirst: boolean;
}

/** How far a process has come. */
export type Phase = "allocated" | "starting" | "started";

/** How a shim wants its output. */
export interface ShimTerms {
  /** what it has of the outputs already; missing: it acknowledges nothing */
  received?: StreamPositions;
  /** nobody comes in its place */
  transient?: boolean;
}

/** See the head of the file. */
export class Session {
  readonly token: string;
  /** stream of input and output; that of the error output is the next number */
  readonly stdio: number;
  readonly shimCame = new Waiters();
  readonly wasStarted = new Waiters();
  process: SessionProcess | undefined;
  phase: Phase = "allocated";
  outputEnded = false;
  exitCode: number | undefined;
  /** another proxy had it: where its outputs were is not known */
  isRestored = false;
  readonly #windows = { stdout: new OutputWindow(), stderr: new OutputWindow() };
  #shim: Client | undefined;
  #acknowledges = false;
  /** nobody is to come in the place of its shim */
  isTransient = false;
  /** its shim has gone, and nobody is to come */
  #isAbandoned = false;
  #isDropping = false;
  #exitTold = false;
  #isLossTold = false;
  /** output behind its end has been noticed */
  #isLateNoticed = false;
  #earlyInput: Uint8Array[] = [];
  #earlyInputBytes = 0;

  constructor(token: string, stdio: number) {
    this.token = token;
    this.stdio = stdio;
  }

  get stderr(): number {
    return this.stdio + 1;
  }

  get shim(): Client | undefined {
    return this.#shim;
  }

  /** Whether all has come of the process that will. */
  get hasEnded(): boolean {
    return this.outputEnded && this.exitCode !== undefined;
  }

  /** Whether all of it has been sent to a shim. */
  get isDelivered(): boolean {
    const { stdout, stderr } = this.#windows;
    return stdout.unsentBytes + stderr.unsentBytes === 0 && !this.#shim?.blocked;
  }

  /** Whether no more output should come for now. */
  get isFull(): boolean {
    const { stdout, stderr } = this.#windows;
    return !this.#isAbandoned && Math.max(stdout.keptBytes, stderr.keptBytes) >= WINDOW_BYTES;
  }

  /** Whether it has memory to give back, see {@link trim}. */
  get isOversized(): boolean {
    return this.#windows.stdout.isOversized || this.#windows.stderr.isOversized;
  }

  /** Gives memory back that it needs only while output flows. */
  trim(): void {
    this.#windows.stdout.trim();
    this.#windows.stderr.trim();
  }

  /** Takes output, which stands behind room for a header in memory that may be written over. */
  takeOutput(name: keyof StreamPositions, data: Uint8Array): void {
    const window = this.#windows[name];
    const shim = this.#shim;
    if (shim && !shim.blocked && window.unsentBytes === 0) {
      if (this.#acknowledges) window.appendSent(data);
      else window.skip(data.length);
      const whole = new Uint8Array(data.buffer, data.byteOffset - FRAME_HEADER_BYTES);
      shim.sendStream(OPCODES[name], whole, FRAME_HEADER_BYTES, data.length);
    } else if (!this.#drops(window.keptBytes + data.length)) window.append(data);
  }

  /** For a shim that nobody follows, the guest does not wait; what is kept has no gaps. */
  #drops(bytes: number): boolean {
    this.#isDropping ||= this.#isAbandoned && bytes > WINDOW_BYTES;
    return this.#isDropping;
  }

  /**
   * Joins a shim to the process.
   * @returns where the output begins that it gets
   * @throws Error when there is one already
   */
  connectShim(shim: Client, { received, transient = false }: ShimTerms): StreamPositions {
    if (this.#shim) throw new Error("another shim has this token");
    this.#shim = shim;
    this.#acknowledges = received !== undefined;
    this.isTransient = transient || !this.#acknowledges;
    this.#isAbandoned = false;
    this.#isDropping = false;
    this.#exitTold = false;
    const positions = {
      stdout: this.#rewind("stdout", received?.stdout),
      stderr: this.#rewind("stderr", received?.stderr),
    };
    this.isRestored = false;
    this.shimCame.wake();
    return positions;
  }

  #rewind(name: keyof StreamPositions, received: number | undefined): number {
    const window = this.#windows[name];
    if (this.isRestored && received !== undefined) window.rebase(received);
    return window.rewind(received ?? window.start);
  }

  /** The shim's connection has ended; the token is there for another. */
  disconnectShim(): void {
    this.#shim = undefined;
    this.abandon();
  }

  /** If nobody is to come in the place of a shim that has gone, the guest does not wait for one. */
  abandon(): void {
    this.#isAbandoned = this.isTransient && !this.#shim;
  }

  /**
   * The process cannot be reached any more. A shim that has all of its output is told why, if it is one of ours; another sees
   * it by the end of its connection.
   */
  tellLoss(reason: string): void {
    if (!this.#shim || !this.isDelivered || this.hasEnded || this.#isLossTold) return;
    this.#isLossTold = true;
    if (this.#acknowledges) this.#shim.refuse(ProxyCommand.CONNECT_SHIM, reason);
    else this.#shim.close();
  }

  /** The shim has so much of the outputs safely. */
  acknowledge({ stdout, stderr }: StreamPositions): void {
    if (!this.#acknowledges)
      throw new Error("an acknowledgement from a shim that had not said that it would");
    this.#windows.stdout.release(stdout);
    this.#windows.stderr.release(stderr);
  }

  /** Sends what waits, as far as the shim takes it, and, behind all of it, the end. */
  pump(): void {
    for (const name of ["stdout", "stderr"] as const) {
      const window = this.#windows[name];
      while (this.#shim && !this.#shim.blocked && window.unsentBytes > 0) {
        const count = window.takeUnsent(scratch, FRAME_HEADER_BYTES);
        this.#shim.sendStream(OPCODES[name], scratch, FRAME_HEADER_BYTES, count);
      }
      if (!this.#acknowledges) window.release();
    }
    const isAllSent = this.#windows.stdout.unsentBytes + this.#windows.stderr.unsentBytes === 0;
    if (!this.#shim || this.#exitTold || !isAllSent || !this.outputEnded || this.exitCode === undefined)
      return;
    this.#exitTold = true;
    this.#shim.sendExit(this.exitCode);
  }

  /** Keeps input until the process is started; true when no more should come for now. */
  keepInput(data: Uint8Array): boolean {
    this.#earlyInput.push(new Uint8Array(data));
    this.#earlyInputBytes += data.length + 1;
    return this.#earlyInputBytes >= MAX_EARLY_INPUT_BYTES;
  }

  /** The input that was kept. */
  takeEarlyInput(): readonly Uint8Array[] {
    const input = this.#earlyInput;
    this.#earlyInput = [];
    this.#earlyInputBytes = 0;
    return input;
  }

  /** Takes a frame that ends the output, or tells the exit code behind that end. */
  takeEnd(data: Uint8Array): void {
    if (data.length === 0) this.outputEnded = true;
    else if (data.length === 1) this.exitCode ??= data[0];
    else if (!this.#isLateNoticed) {
      // Once, as it could fill the disk.
      this.#isLateNoticed = true;
      log("warn", "the guest sent output behind its end", { container: this.process?.container ?? "" });
    }
  }
}

const OPCODES = { stdout: ProxyStream.STDOUT, stderr: ProxyStream.STDERR } as const;
