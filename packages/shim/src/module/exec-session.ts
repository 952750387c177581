/** One exec from its start to its end: its streams, its signals, its time. */

import * as sys from "tiny:sys";
import { Errno, hasErrno, SIGKILL, SIGTERM, startTimer, stopTimer } from "@husk/tiny";
import {
  type ExecExit,
  encodeExecExit,
  encodeFault,
  encodeStarted,
  type TerminalSize,
} from "@husk/wire/module-shim";
import { boundText } from "./bound-text.ts";
import type { ControlClient, ExecInput } from "./control-client.ts";
import type { EndedChildren } from "./ended-children.ts";
import type { ExecStreams } from "./exec-streams.ts";
import type { ExecFiles, Runtime } from "./runtime.ts";

/** Milliseconds from TERM to KILL, and from that until the process is given up. */
const GRACE_MS = 2000;
const GIVE_UP_MS = 10_000;
const SIGNAL_MASK = 0x7f;

/** What a session is made of. */
export interface SessionParts {
  client: ControlClient;
  streams: ExecStreams;
  files: ExecFiles;
  runtime: Runtime;
  children: EndedChildren;
}

/** See the head of the file. */
export class ExecSession implements ExecInput {
  readonly #parts: SessionParts;
  #pid: number | undefined;
  /** signals that came before it was there, one of each: of those that wait the kernel, too, keeps no second one */
  readonly #early = new Set<number>();
  #hasEnded = false;
  #timer: number | undefined;
  #timedOut = false;
  #isEnding = false;
  /** gives the process up */
  #giveUp: (() => void) | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Runs it to its end. Gives the frame that its client is to be answered with. */
  async run(timeoutMs: number | undefined): Promise<Uint8Array> {
    this.#parts.client.connectExec(this);
    try {
      return await this.#runProcess(timeoutMs);
    } finally {
      stopTimer(this.#timer);
      this.#parts.streams.close();
    }
  }

  giveStdin(data: Uint8Array): boolean {
    return this.#parts.streams.giveStdin(data);
  }

  resize(size: TerminalSize): void {
    this.#parts.streams.resize(size);
  }

  signal(signal: number): void {
    if (this.#pid === undefined) {
      if (!this.#hasEnded) this.#early.add(signal);
      return;
    }
    const { runtime, files } = this.#parts;
    if (runtime.killsExecs) void runtime.killExec(files.pidFile, signal);
    else killGroup(this.#pid, signal);
  }

  onWritable(): void {
    this.#parts.streams.readOn();
  }

  abandon(): void {
    this.#parts.streams.readOn();
    this.#end();
  }

  async #runProcess(timeoutMs: number | undefined): Promise<Uint8Array> {
    const { runtime, files, children, client, streams } = this.#parts;
    let ended: Promise<number> | undefined;
    const started = (pid: number) => {
      this.#pid = pid;
      ended = children.whenEnded(pid);
    };
    const command = runtime.exec(files, streams, started);
    streams.closeCommandEnds();
    const fault = await command;
    if (fault || !ended || this.#pid === undefined) return this.#encodeRuntimeFault(fault?.message ?? "");
    this.#beginStreams();
    client.send(encodeStarted(this.#pid));
    for (const signal of this.#early) this.signal(signal);
    if (timeoutMs !== undefined && !this.#isEnding)
      this.#timer = startTimer(timeoutMs, () => this.#onTimeout());
    const status = await Promise.race([ended, this.#whenGivenUp()]);
    if (status === undefined)
      return encodeFault({
        code: "stuck",
        message: `process ${this.#pid} has not ended by signal ${SIGKILL}`,
      });
    this.#pid = undefined;
    this.#hasEnded = true;
    await streams.finish();
    return encodeExecExit(this.#describe(status));
  }

  /** @throws Error: a process without its streams is not to go on */
  #beginStreams(): void {
    try {
      this.#parts.streams.begin();
    } catch (error) {
      this.signal(SIGKILL);
      throw error;
    }
  }

  #encodeRuntimeFault(message: string): Uint8Array {
    // It has what the program's errors would have gone to.
    const said = this.#parts.streams.readText().trim();
    const whole = said === "" || message.includes(said) ? message : `${message}: ${said}`;
    return encodeFault({
      code: "runtime",
      message: whole === "" ? "no process was started" : boundText(whole),
    });
  }

  #onTimeout(): void {
    this.#timedOut = true;
    this.#end();
  }

  /** Ends the process: TERM, then KILL, then it is given up. */
  #end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    stopTimer(this.#timer);
    this.signal(SIGTERM);
    this.#timer = startTimer(GRACE_MS, () => {
      this.signal(SIGKILL);
      this.#timer = startTimer(GIVE_UP_MS, () => this.#giveUp?.());
    });
  }

  #whenGivenUp(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#giveUp = () => resolve(undefined);
    });
  }

  #describe(status: number): ExecExit {
    const signal = status & SIGNAL_MASK;
    const timedOut = this.#timedOut ? { timedOut: true as const } : {};
    return signal === 0
      ? { exitCode: (status >> 8) & 0xff, ...timedOut }
      : { exitSignal: signal, ...timedOut };
  }
}

/** Signals a process and its group, if it leads one. */
function killGroup(pid: number, signal: number): void {
  for (const target of [-pid, pid]) {
    try {
      sys.kill(target, signal);
      return;
    } catch (error) {
      if (!hasErrno(error, Errno.ESRCH)) throw error;
    }
  }
}
