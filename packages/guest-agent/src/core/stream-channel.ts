/** The stream channel: every process's output in frames to the host, and its input from there. */

import { callSoon, EPOLLET, EPOLLIN, EPOLLOUT, watch } from "@husk/tiny";
import { encodeStream, StreamDecoder, type StreamFrame } from "@husk/wire/hyperstart";
import { Channel } from "../channel.ts";
import { log } from "../log.ts";
import { FrameWriter, type OutputSource } from "./frame-writer.ts";

/** Frames sent before other events get their turn. */
const FRAMES_PER_TURN = 32;

/** Where the input of a process goes. */
export interface InputSink {
  /** Takes bytes, which it copies when they must wait; none closes the input. */
  takeInput(data: Uint8Array): void;
  /** True when it wants no more for now. */
  readonly inputFull: boolean;
}

/** The channel itself. */
export class StreamChannel {
  readonly #channel: Channel;
  readonly #frames: FrameWriter;
  readonly #decoder = new StreamDecoder();
  readonly #inputs = new Map<number, InputSink>();
  /** sources that may have something to read, in turn */
  #ready: OutputSource[] = [];
  #pumping = false;

  constructor(fd: number, onHostGone: () => void) {
    this.#channel = new Channel(fd, {
      onBytes: (bytes) => this.#dispatch(bytes),
      onWritable: () => {
        if (this.#frames.resume()) this.#pump();
      },
      onHostGone: () => {
        this.#decoder.reset();
        onHostGone();
      },
    });
    this.#frames = new FrameWriter(this.#channel.output);
  }

  /** Sends what `source` gives until it ends. `onWritable`: told when a terminal takes input again. */
  addSource(source: OutputSource, onWritable?: () => void): void {
    watch(source.fd, EPOLLIN | EPOLLET | (onWritable ? EPOLLOUT : 0), (events) => {
      if (events & EPOLLOUT) onWritable?.();
      if (!this.#ready.includes(source)) this.#ready.push(source);
      this.#pump();
    });
  }

  /** Gives the input of stream `seq` to `sink`. */
  addInput(seq: number, sink: InputSink): void {
    this.#inputs.set(seq, sink);
  }

  /** True while stream `seq` belongs to a process. */
  hasInput(seq: number): boolean {
    return this.#inputs.has(seq);
  }

  removeInput(seq: number): void {
    this.#inputs.delete(seq);
    this.resume();
  }

  /** Reads on, when a full sink has room again. */
  resume(): void {
    for (const sink of this.#inputs.values()) if (sink.inputFull) return;
    this.#channel.resume();
  }

  /** Says that the output of a stream has ended. */
  sendEnd(seq: number): void {
    this.#frames.write(encodeStream(seq));
  }

  /** Says, behind its end, with which code the process of a stream has ended: Clear Containers' way. */
  sendExitCode(seq: number, code: number): void {
    this.#frames.write(encodeStream(seq, Uint8Array.of(code)));
  }

  #dispatch(bytes: Uint8Array): boolean {
    let full = false;
    for (const frame of this.#decode(bytes)) {
      const sink = this.#inputs.get(frame.seq);
      if (sink) sink.takeInput(frame.data);
      // Nobody reads this stream (hyperstart.md 1.3); the host must not go on sending into nothing.
      else this.sendEnd(frame.seq);
      full ||= sink?.inputFull ?? false;
    }
    return !full;
  }

  #decode(bytes: Uint8Array): readonly StreamFrame[] {
    try {
      return this.#decoder.push(bytes);
    } catch (error) {
      // The boundaries of frames are lost until the host connects anew; nothing after this point can be trusted.
      log("error", `stream channel: ${error}`);
      return (error as { frames?: readonly StreamFrame[] }).frames ?? [];
    }
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      this.#sendFrames();
    } finally {
      this.#pumping = false;
    }
  }

  #sendFrames(): void {
    for (let sent = 0; this.#ready.length > 0 && !this.#frames.blocked; sent++) {
      if (sent === FRAMES_PER_TURN) {
        callSoon(() => this.#pump());
        return;
      }
      const source = this.#ready.shift() as OutputSource;
      const outcome = this.#frames.send(source);
      if (outcome === "ended") source.end();
      else if (outcome === "sent") this.#ready.push(source);
    }
  }
}
