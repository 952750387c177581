import { randomInt } from "node:crypto";
import type { StreamFrame } from "@husk/wire/hyperstart";
import { HuskError } from "../../errors/index.ts";

/** Takes the output of one process, or of one client of the relay. */
export interface StreamSink {
  /**
   * Takes a frame; without data it is the end of the output.
   * @returns false when no more should come for now
   */
  receive(frame: StreamFrame): boolean;
}

/** The channel that all streams share. */
export interface PausableChannel {
  pauseStream(): void;
  resumeStream(): void;
}

/** Sequence numbers are drawn from blocks of this size, whose bases are random: other callers draw theirs too. */
const BLOCK = 4096;
/** Number of blocks below 2^52. */
const BLOCKS = 2 ** 40;

/** Knows whose output is whose, and holds up the channel while somebody does not read. */
export class StreamRouter {
  readonly #channel: PausableChannel;
  readonly #sinks = new Map<number, StreamSink>();
  readonly #blocked = new Set<StreamSink>();
  #nextSeq = 0;
  #blockEnd = 0;

  constructor(channel: PausableChannel) {
    this.#channel = channel;
  }

  /** A sequence number that nobody uses. */
  allocate(): number {
    if (this.#nextSeq >= this.#blockEnd) {
      this.#nextSeq = (1 + randomInt(BLOCKS - 1)) * BLOCK;
      this.#blockEnd = this.#nextSeq + BLOCK;
    }
    return this.#nextSeq++;
  }

  /** @throws HuskError ERR_AGENT_REFUSED when a number is in use */
  add(seqs: readonly number[], sink: StreamSink): void {
    if (seqs.some((seq) => this.#sinks.has(seq))) {
      throw new HuskError("ERR_AGENT_REFUSED", "a stream number is in use already");
    }
    for (const seq of seqs) this.#sinks.set(seq, sink);
  }

  owns(seq: number, sink: StreamSink): boolean {
    return this.#sinks.get(seq) === sink;
  }

  delete(seqs: readonly number[]): void {
    for (const seq of seqs) this.#sinks.delete(seq);
  }

  /** Hands a frame on. One of an unknown stream is dropped: its reader has gone. */
  route(frame: StreamFrame): void {
    const sink = this.#sinks.get(frame.seq);
    if (!sink || sink.receive(frame)) return;
    this.#blocked.add(sink);
    this.#channel.pauseStream();
  }

  isBlocked(): boolean {
    return this.#blocked.size > 0;
  }

  /** A sink can take more, or has gone. */
  unblock(sink: StreamSink): void {
    if (this.#blocked.delete(sink) && this.#blocked.size === 0) this.#channel.resumeStream();
  }
}
