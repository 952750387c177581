/** Fetches one output of a process from its agent. */

import type { AgentService } from "@husk/wire/kata";
import type { RequestInitOf } from "@husk/wire/protobuf";
import { TtrpcError } from "@husk/wire/ttrpc";
import type { LinkEvents, OutputName } from "../core/process-link.ts";
import type { AgentConnection } from "./agent-connection.ts";

/** Most bytes asked for at a time. */
const READ_BYTES = 256 * 1024;
/** Bytes of an answer from which on more of them are worth asking for. */
const MUCH_BYTES = 32 * 1024;
/** Reads of an output from which much comes: while an answer is on its way, the guest has the next one ready. */
const READS_AT_ONCE = 3;
/** Bytes that may have come and not be written: with more, nothing is asked for. */
const MAX_UNWRITTEN_BYTES = 256 * 1024;
/** Bytes that are written and that the agent has not been told of: it keeps no more than twice as many for us. */
const MAX_UNTOLD_BYTES = 128 * 1024;

/** The process whose output it is. */
export interface ProcessName {
  readonly containerId: string;
  readonly execId: string;
}

/** What a pump tells. */
interface PumpEvents extends Pick<LinkEvents, "onOutput"> {
  /** Nothing more comes. `error`: what the agent said */
  onEnd(error: TtrpcError): void;
}

/**
 * Our own agent keeps what it has sent until it is told that it is written; another connection goes on there. An agent
 * that is not ours is asked for one piece after the other.
 */
export class OutputPump {
  readonly #name: OutputName;
  readonly #process: ProcessName;
  readonly #events: PumpEvents;
  #connection: AgentConnection | undefined;
  #isOurs = false;
  /** bytes of the output that have come, and that are written */
  #come: number;
  #written: number;
  /** bytes of it that the agent knows to be written */
  #told = 0;
  /** bytes that come once more after a new beginning */
  #skip = 0;
  #asked = 0;
  #atOnce = 1;
  #resumes = false;
  #isOver = false;

  /** @param received bytes that were written before */
  constructor(name: OutputName, process: ProcessName, received: number, events: PumpEvents) {
    this.#name = name;
    this.#process = process;
    this.#come = received;
    this.#written = received;
    this.#events = events;
  }

  /** whether all has come */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** There is a connection: begins, or goes on. */
  begin(connection: AgentConnection, isOurs: boolean): void {
    this.#connection = connection;
    this.#isOurs = isOurs;
    this.#asked = 0;
    this.#atOnce = 1;
    this.#resumes = isOurs;
    // What has come and is not written might be lost with us: it stays with the agent until it is.
    this.#skip = isOurs ? this.#come - this.#written : 0;
    this.#ask();
  }

  /** Tells the agent what is written, so that it keeps nothing for us. */
  tell(): void {
    if (!this.#connection || !this.#isOurs || this.#told === this.#written) return;
    this.#connection.call(this.#method, { ...this.#request, len: 0 }, () => {});
  }

  get #method(): "ReadStdout" | "ReadStderr" {
    return this.#name === "stdout" ? "ReadStdout" : "ReadStderr";
  }

  get #request(): RequestInitOf<typeof AgentService, "ReadStdout"> {
    this.#told = this.#written;
    const acknowledged = this.#isOurs ? { acknowledged: BigInt(this.#written) } : {};
    return { ...this.#process, len: READ_BYTES, ...acknowledged };
  }

  #ask(): void {
    const connection = this.#connection;
    while (connection && !this.#isOver && this.#asked < this.#atOnce && this.#hasRoom) {
      this.#asked += 1;
      const request = { ...this.#request, resume: this.#resumes };
      this.#resumes = false;
      connection.call(this.#method, request, (answer) => this.#take(connection, answer));
    }
  }

  get #hasRoom(): boolean {
    return this.#come - this.#written < MAX_UNWRITTEN_BYTES;
  }

  #take(connection: AgentConnection, answer: { data: Uint8Array } | TtrpcError): void {
    // An answer to what was asked before the last beginning is not told to us: its connection has ended.
    if (connection !== this.#connection || this.#isOver) return;
    this.#asked -= 1;
    if (answer instanceof TtrpcError) {
      this.#isOver = true;
      this.#events.onEnd(answer);
      return;
    }
    if (answer.data.length >= MUCH_BYTES && this.#isOurs) this.#atOnce = READS_AT_ONCE;
    this.#give(answer.data);
    this.#ask();
  }

  #give(data: Uint8Array): void {
    const fresh = data.subarray(Math.min(this.#skip, data.length));
    this.#skip -= data.length - fresh.length;
    if (fresh.length === 0) return;
    this.#come += fresh.length;
    let isWritten = false;
    this.#events.onOutput(this.#name, fresh, () => {
      if (isWritten) return;
      isWritten = true;
      this.#noteWritten(fresh.length);
    });
  }

  #noteWritten(length: number): void {
    this.#written += length;
    this.#ask();
    // All that is asked for waits: the agent may be waiting for us to say this.
    if (this.#written - this.#told >= MAX_UNTOLD_BYTES && this.#asked > 0) this.tell();
  }
}
