/** What a process is told: its input, signals, the size of its terminal. In order, as far as there is a connection. */

import { TtrpcError } from "@husk/wire/ttrpc";
import type { AgentConnection } from "./agent-connection.ts";
import type { ProcessName } from "./output-pump.ts";

/** Signals that may wait for a connection, or for an answer; more are dropped, as equal ones are by the kernel. */
const MAX_WAITING_SIGNALS = 64;

/** Input that the process has not taken yet. */
interface Input {
  data: Uint8Array;
  taken: () => void;
  /** bytes of it that are on their way */
  isSent: boolean;
}

/**
 * What has been sent over a connection that is lost may have been done, or not. It is not sent again: input twice would be
 * worse than input not at all. But for the end of input and the size, which are the same twice.
 */
export class Requests {
  readonly #process: ProcessName;
  #connection: AgentConnection | undefined;
  #input: Input | undefined;
  /** the input is to end; until the agent has said that it has */
  #endsInput = false;
  #signals: number[] = [];
  /** signals that are not answered */
  #sentSignals = 0;
  #size: { row: number; column: number } | undefined;
  /** the size that is on its way */
  #sentSize: { row: number; column: number } | undefined;

  constructor(process: ProcessName) {
    this.#process = process;
  }

  /** There is a connection. */
  begin(connection: AgentConnection): void {
    this.#connection = connection;
    this.#sendSize();
    for (const signal of this.#signals.splice(0)) this.signal(signal);
    this.#sendInput();
    if (this.#endsInput) this.closeStdin();
  }

  /** There is none any more. */
  end(): void {
    this.#connection = undefined;
    this.#sentSignals = 0;
    this.#sentSize = undefined;
    if (this.#input?.isSent) this.#taken();
  }

  /** Gives input; `taken` is called when more may be given. */
  writeStdin(data: Uint8Array, taken: () => void): void {
    this.#input = { data, taken, isSent: false };
    this.#sendInput();
  }

  /** Ends the input. */
  closeStdin(): void {
    this.#endsInput = true;
    this.#connection?.call("CloseStdin", this.#process, () => {
      this.#endsInput = false;
    });
  }

  /** Sends a signal. */
  signal(signal: number): void {
    if (this.#sentSignals + this.#signals.length >= MAX_WAITING_SIGNALS) return;
    if (!this.#connection) {
      this.#signals.push(signal);
      return;
    }
    this.#sentSignals += 1;
    this.#connection.call("SignalProcess", { ...this.#process, signal }, () => {
      this.#sentSignals -= 1;
    });
  }

  /** Tells the size of the terminal, in characters. */
  resize(row: number, column: number): void {
    this.#size = { row, column };
    this.#sendSize();
  }

  /** One at a time: of many, the last counts. */
  #sendSize(): void {
    const size = this.#size;
    if (!size || !this.#connection || this.#sentSize) return;
    this.#sentSize = size;
    this.#connection.call("TtyWinResize", { ...this.#process, ...size }, () => {
      this.#sentSize = undefined;
      if (this.#size !== size) this.#sendSize();
    });
  }

  /** What a process does not take any more is lost, as in a pipe without a reader. */
  #sendInput(): void {
    const input = this.#input;
    if (!input || !this.#connection) return;
    input.isSent = true;
    this.#connection.call("WriteStdin", { ...this.#process, data: input.data }, (answer) => {
      if (this.#input !== input) return;
      const count = answer instanceof TtrpcError ? input.data.length : answer.len;
      if (count === 0 || count >= input.data.length) this.#taken();
      else {
        input.data = input.data.subarray(count);
        this.#sendInput();
      }
    });
  }

  #taken(): void {
    const input = this.#input;
    this.#input = undefined;
    input?.taken();
  }
}
