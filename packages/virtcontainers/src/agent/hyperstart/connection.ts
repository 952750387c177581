import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import {
  Command,
  ControlDecoder,
  type ControlFrame,
  ControlResync,
  commandName,
  decodeNext,
  encodeControl,
  encodeStream,
  hostCommandName,
  MARKER_RANDOM_BYTES,
  MAX_FILE_BYTES,
  makeStreamMarker,
  type ProcessAsyncEvent,
  parseProcessAsyncEvent,
  RESYNC_RANDOM_BYTES,
  StreamDecoder,
  type StreamFrame,
  StreamResync,
} from "@husk/wire/hyperstart";
import { withDeadline } from "../../deadline.ts";
import { HuskError, messageOf } from "../../errors/index.ts";
import { StreamWriter } from "./stream-writer.ts";
import type { CommandOptions, Reply } from "./transport.ts";

/** Longest control message taken from the guest: a file or a table of processes, with its header. */
const MAX_CONTROL_BYTES = MAX_FILE_BYTES + 1024;

/** What a connection tells its session. */
export interface ConnectionEvents {
  onReady(payload: Uint8Array): void;
  onEvent(event: ProcessAsyncEvent): void;
  onStream(frame: StreamFrame): void;
  /** Both channels have ended; `error` when the guest broke the protocol. */
  onClosed(error: HuskError | undefined): void;
  /** The control channel has ended: no reply or event comes any more, output may. */
  onControlEnded(): void;
}

interface Outstanding {
  resolve(reply: Reply): void;
  reject(error: HuskError): void;
}

interface Message extends Outstanding {
  readonly frame: Uint8Array;
}

/**
 * The two channels to an agent of dialect H. Commands are answered in their order; a message is sent only when the agent
 * has taken the one before (it says NEXT for the bytes it took), in one write each.
 */
export class HyperstartConnection {
  readonly #control: Socket;
  readonly #stream: Socket;
  readonly #events: ConnectionEvents;
  readonly #controlDecoder = new ControlDecoder({ maxFrameBytes: MAX_CONTROL_BYTES });
  readonly #streamDecoder = new StreamDecoder();
  readonly #writer: StreamWriter;
  readonly #queue: Message[] = [];
  readonly #outstanding: Outstanding[] = [];
  /** while the channels are taken over from another process, and not understood yet */
  #controlResync: ControlResync | undefined;
  #streamResync: StreamResync | undefined;
  #unacknowledged = 0;
  #failure: HuskError | undefined;
  #open = 2;

  /** `takeOver`: another process had the channels, and may have left them in the middle of a frame. */
  constructor(
    control: Socket,
    stream: Socket,
    events: ConnectionEvents,
    options: { takeOver?: boolean } = {},
  ) {
    this.#control = control;
    this.#stream = stream;
    this.#events = events;
    this.#writer = new StreamWriter(stream);
    control.on("data", (chunk: Buffer) => this.#receive(() => this.#takeControl(chunk)));
    stream.on("data", (chunk: Buffer) => this.#receive(() => this.#takeStream(chunk)));
    if (options.takeOver) {
      const marker = makeStreamMarker(randomBytes(MARKER_RANDOM_BYTES));
      this.#controlResync = new ControlResync(randomBytes(RESYNC_RANDOM_BYTES));
      this.#streamResync = new StreamResync(marker);
      control.write(this.#controlResync.questions);
      stream.write(marker);
    }
    for (const socket of [control, stream]) {
      socket.unref();
      socket.on("error", () => socket.destroy());
      if (socket.closed) queueMicrotask(() => this.#ended(socket));
      else socket.once("close", () => this.#ended(socket));
      socket.resume();
    }
  }

  get closed(): boolean {
    return this.#open < 2 || this.#control.destroyed || this.#stream.destroyed;
  }

  /**
   * Sends a command and waits for its reply. When the wait ends early, the reply is still awaited and dropped.
   * @throws HuskError ERR_TIMEOUT, ERR_ABORTED, ERR_AGENT_DISCONNECTED, ERR_AGENT_PROTOCOL
   */
  async request(
    command: number,
    payload: string | Uint8Array | undefined,
    options: CommandOptions,
  ): Promise<Reply> {
    const answer = Promise.withResolvers<Reply>();
    if (this.closed) answer.reject(this.#failure ?? disconnected());
    else
      this.#queue.push({
        frame: encodeControl(command, payload),
        resolve: answer.resolve,
        reject: answer.reject,
      });
    this.#sendNext();
    const what = `the agent's answer to ${hostCommandName(command)}`;
    return withDeadline(answer.promise, { ms: options.timeoutMs, what, signal: options.signal });
  }

  /** Sends bytes to a stream; `done` is called when more can be taken. */
  write(seq: number, data: Uint8Array, done: () => void): void {
    this.#writer.write(seq, data, done);
  }

  /** Tells that a stream has ended. */
  end(seq: number): void {
    if (!this.#stream.destroyed) this.#stream.write(encodeStream(seq));
  }

  pauseStream(): void {
    this.#stream.pause();
  }

  resumeStream(): void {
    this.#stream.resume();
  }

  /** Ends the connection; outstanding commands fail. */
  close(error?: HuskError): void {
    this.#failure ??= error;
    this.#control.destroy();
    this.#stream.destroy();
  }

  #sendNext(): void {
    if (this.#controlResync || this.#unacknowledged > 0 || this.closed) return;
    const message = this.#queue.shift();
    if (!message) return;
    this.#unacknowledged = message.frame.length;
    this.#outstanding.push(message);
    this.#control.write(message.frame);
  }

  /** Whatever the guest sends can end its own pod at most. */
  #receive(take: () => void): void {
    try {
      take();
    } catch (error) {
      const text = `the guest sent a bad message: ${messageOf(error)}`;
      this.close(
        error instanceof HuskError ? error : new HuskError("ERR_AGENT_PROTOCOL", text, { cause: error }),
      );
    }
  }

  #takeControl(chunk: Buffer): void {
    const bytes = this.#controlResync ? this.#resyncControl(this.#controlResync, chunk) : chunk;
    for (const frame of this.#controlDecoder.push(bytes)) this.#takeFrame(frame);
  }

  /** Of what was for another process, only the exits are of use. */
  #resyncControl(resync: ControlResync, chunk: Buffer): Uint8Array {
    const found = resync.push(chunk);
    if (!found) return new Uint8Array(0);
    this.#controlResync = undefined;
    for (const frame of found.frames) if (frame.command === Command.PROCESSASYNCEVENT) this.#takeFrame(frame);
    this.#sendNext();
    return found.rest;
  }

  #takeFrame({ command, payload }: ControlFrame): void {
    switch (command) {
      case Command.NEXT:
        this.#acknowledge(decodeNext(payload));
        return;
      case Command.ACK:
      case Command.ERROR: {
        const waiter = this.#outstanding.shift();
        if (!waiter) throw new HuskError("ERR_AGENT_PROTOCOL", "the guest answered what nobody had asked");
        waiter.resolve({ ok: command === Command.ACK, payload });
        return;
      }
      case Command.READY:
        this.#events.onReady(payload);
        return;
      case Command.PROCESSASYNCEVENT:
        this.#events.onEvent(parseProcessAsyncEvent(payload));
        return;
      default:
        throw new HuskError(
          "ERR_AGENT_PROTOCOL",
          `the guest sent ${commandName(command)}, which is not its to send`,
        );
    }
  }

  #acknowledge(bytes: number): void {
    this.#unacknowledged -= bytes;
    if (this.#unacknowledged < 0)
      throw new HuskError("ERR_AGENT_PROTOCOL", "the guest took more than was sent");
    this.#sendNext();
  }

  #takeStream(chunk: Buffer): void {
    const bytes = this.#streamResync ? this.#streamResync.push(chunk) : chunk;
    if (!bytes) return;
    this.#streamResync = undefined;
    for (const frame of this.#streamDecoder.push(bytes)) this.#events.onStream(frame);
  }

  #ended(socket: Socket): void {
    this.#open -= 1;
    if (socket === this.#control) {
      for (const waiter of [...this.#outstanding, ...this.#queue])
        waiter.reject(this.#failure ?? disconnected());
      this.#outstanding.length = 0;
      this.#queue.length = 0;
      this.#events.onControlEnded();
    }
    if (this.#open === 0) this.#events.onClosed(this.#failure);
    // The stream's last bytes are still to be read; without it, the control channel is of no use.
    else if (socket === this.#stream) this.#control.destroy();
  }
}

function disconnected(): HuskError {
  return new HuskError("ERR_AGENT_DISCONNECTED", "the connection to the guest's agent has ended");
}
