import type { Socket } from "node:net";
import {
  Command,
  ControlDecoder,
  type ControlFrame,
  encodeControl,
  encodeNext,
  encodeProcessAsyncEvent,
  encodeStream,
  MAX_REQUEST_BYTES,
  type Process,
  parseExecCommand,
  parseNewContainer,
  type StreamDecoder,
  type StreamFrame,
} from "@husk/wire/hyperstart";
import { messageOf } from "../../errors/index.ts";
import type { DirectTransport } from "./direct-transport.ts";
import { encodeToken } from "./relay-token.ts";
import type { StreamSink } from "./stream-router.ts";

const CONTROL_HEADER_BYTES = 8;

/** One client of the relay: its commands go to the agent in their order, its processes' output comes back to it. */
export class RelayClient implements StreamSink {
  readonly #transport: DirectTransport;
  readonly #control: Socket;
  readonly #decoder = new ControlDecoder({ maxFrameBytes: MAX_REQUEST_BYTES + CONTROL_HEADER_BYTES });
  /** its processes' streams: stdio, and all numbers of that process */
  readonly #streams = new Map<number, readonly number[]>();
  #unlisten: (() => void) | undefined;
  #stream: Socket | undefined;
  /** the commands before, so that replies keep their order */
  #last: Promise<void> = Promise.resolve();

  constructor(transport: DirectTransport, control: Socket, token: number) {
    this.#transport = transport;
    this.#control = control;
    control.once("close", () => this.#leave());
    control.write(encodeControl(Command.READY, encodeToken(token)));
  }

  /** Its stream connection has come: now its commands are heard. */
  pair(stream: Socket, decoder: StreamDecoder, early: readonly StreamFrame[]): void {
    this.#stream = stream;
    this.#unlisten = this.#transport.listen(({ container, process, status }) => {
      this.#say(Command.PROCESSASYNCEVENT, encodeProcessAsyncEvent(container, process, status));
    });
    stream.once("close", () => this.#control.destroy());
    stream.on("drain", () => this.#transport.router.unblock(this));
    stream.on("data", (chunk: Buffer) => this.#guard(() => this.#takeInput(decoder.push(chunk))));
    this.#guard(() => this.#takeInput(early));
    this.#control.on("data", (chunk: Buffer) => {
      this.#guard(() => {
        for (const frame of this.#decoder.push(chunk)) this.#enqueue(frame);
      });
    });
  }

  receive({ seq, data }: StreamFrame): boolean {
    const hasRoom = this.#stream?.write(encodeStream(seq, data)) ?? true;
    if (data.length === 0) this.#release(seq);
    return hasRoom;
  }

  /** A client that breaks the protocol is sent away; nobody else suffers. */
  #guard(take: () => void): void {
    try {
      take();
    } catch {
      this.#control.destroy();
    }
  }

  #takeInput(frames: readonly StreamFrame[]): void {
    for (const { seq, data } of frames) {
      if (!this.#transport.router.owns(seq, this)) continue;
      if (data.length === 0) this.#transport.connection.end(seq);
      else this.#forward(seq, data);
    }
  }

  #forward(seq: number, data: Uint8Array): void {
    let isDone = false;
    this.#transport.connection.write(seq, data, () => {
      isDone = true;
      this.#stream?.resume();
    });
    if (!isDone) this.#stream?.pause();
  }

  #enqueue(frame: ControlFrame): void {
    this.#control.write(encodeNext(CONTROL_HEADER_BYTES + frame.payload.length));
    this.#last = this.#last.then(() => this.#run(frame));
  }

  async #run({ command, payload }: ControlFrame): Promise<void> {
    if (this.#control.destroyed) return;
    let stdio = 0;
    try {
      stdio = this.#claim(streamsOf(command, payload));
      const timeoutMs = this.#transport.deadline(command === Command.DESTROYPOD ? "agentStop" : "agentStart");
      const reply = await this.#transport.connection.request(command, payload, { timeoutMs });
      if (!reply.ok) this.#release(stdio);
      this.#say(reply.ok ? Command.ACK : Command.ERROR, reply.payload);
    } catch (error) {
      this.#release(stdio);
      // What the agent would have said is not known: that is an end of the channel, not a refusal.
      if (this.#transport.closed) this.#control.destroy();
      else this.#say(Command.ERROR, messageOf(error));
    }
  }

  #claim(seqs: readonly number[]): number {
    const [stdio] = seqs;
    if (stdio === undefined) return 0;
    this.#transport.router.add(seqs, this);
    this.#streams.set(stdio, seqs);
    return stdio;
  }

  #release(stdio: number): void {
    this.#transport.router.delete(this.#streams.get(stdio) ?? []);
    this.#streams.delete(stdio);
  }

  #say(command: number, payload: Uint8Array | string): void {
    if (!this.#control.destroyed) this.#control.write(encodeControl(command, payload));
  }

  #leave(): void {
    this.#unlisten?.();
    this.#stream?.destroy();
    // Nobody will write to these processes any more: that they see.
    for (const stdio of this.#streams.keys()) {
      this.#transport.connection.end(stdio);
      this.#release(stdio);
    }
    this.#transport.router.unblock(this);
  }
}

/** The streams that a command makes. */
function streamsOf(command: number, payload: Uint8Array): number[] {
  const process = processOf(command, payload);
  if (!process) return [];
  return process.stderr === 0 ? [process.stdio] : [process.stdio, process.stderr];
}

function processOf(command: number, payload: Uint8Array): Process | undefined {
  if (command === Command.NEWCONTAINER) return parseNewContainer(payload).process;
  if (command === Command.EXECCMD) return parseExecCommand(payload).process;
  return undefined;
}
