/** One client of the proxy: a caller that has commands for the agent, or a shim. */

import { Connection, callSoon } from "@husk/tiny";
import {
  encodeErrorResponse,
  encodeProxyFrame,
  FRAME_HEADER_BYTES,
  FrameType,
  ProxyCommand,
  ProxyDecoder,
  type ProxyFrame,
  ProxyNotification,
  proxyCommandName,
  writeProxyHeader,
} from "@husk/wire/cc-proxy";
import { log } from "../core/log.ts";
import type { Caller } from "../core/waiters.ts";
import type { Session } from "./session.ts";

/** Bytes of frames that wait for the one before, before a client is read no more. */
const MAX_QUEUED_BYTES = 64 * 1024;
/** Signals of one client that may wait for their process. */
const MAX_SIGNALS = 64;

/** Ends of processes that a client may leave unread. */
const MAX_UNREAD_EXITS = 256;

/** The payload of a response. */
export type Answer = Uint8Array | string | undefined;

/** What the proxy does for a client. */
export interface ClientHandlers {
  /** Does a command. What it throws is the text of the error that is answered. */
  onCommand(client: Client, opcode: number, payload: Uint8Array): Answer | Promise<Answer>;
  /** Takes a frame of a stream. What it throws ends the connection. */
  onStream(client: Client, opcode: number, payload: Uint8Array): void;
  onWritable(client: Client): void;
  onGone(client: Client): void;
}

/** See the head of the file. Its frames are dealt with one after the other, but a signal may wait for its process. */
export class Client implements Caller {
  /** the process that it carries, if it is a shim */
  session: Session | undefined;
  /** it is told of the end of every process */
  wantsExits = false;
  readonly #connection: Connection;
  readonly #handlers: ClientHandlers;
  readonly #decoder = new ProxyDecoder("proxy");
  readonly #queue: ProxyFrame[] = [];
  readonly #gone = new Set<() => void>();
  #queuedBytes = 0;
  #busy = false;
  /** its input waits for room in the agent's channel */
  #isHeld = false;
  #signals = 0;
  #unreadExits = 0;

  constructor(fd: number, handlers: ClientHandlers) {
    this.#handlers = handlers;
    this.#connection = new Connection(fd, {
      onBytes: (bytes) => this.#take(bytes),
      onWritable: () => {
        this.#unreadExits = 0;
        handlers.onWritable(this);
        this.#work();
      },
      onEnd: () => this.#ended(),
    });
  }

  /** Whether it does not take more for now. */
  get blocked(): boolean {
    return this.#connection.blocked;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  onGone(gone: () => void): () => void {
    this.#gone.add(gone);
    return () => this.#gone.delete(gone);
  }

  /** Sends output of its process, which stands in a buffer behind room for a header. */
  sendStream(opcode: number, buffer: Uint8Array, offset: number, length: number): void {
    const start = offset - FRAME_HEADER_BYTES;
    writeProxyHeader(buffer, { type: FrameType.STREAM, opcode }, length, start);
    this.#connection.write(buffer, start, FRAME_HEADER_BYTES + length);
  }

  /** Tells a shim that its process has ended. */
  sendExit(code: number): void {
    const kind = { type: FrameType.NOTIFICATION, opcode: ProxyNotification.PROCESS_EXITED };
    this.#connection.write(encodeProxyFrame(kind, Uint8Array.of(code)));
  }

  /** Tells of the end of any process. One who does not read is sent away. */
  sendGuestExit(event: string): void {
    if (this.blocked) this.#unreadExits++;
    if (this.#unreadExits > MAX_UNREAD_EXITS)
      callSoon(() => this.#expel("it does not read what it asked for"));
    else {
      const kind = { type: FrameType.NOTIFICATION, opcode: ProxyNotification.GUEST_EXIT };
      this.#connection.write(encodeProxyFrame(kind, event));
    }
  }

  /** Answers a command with an error. Of CONNECT_SHIM it may be told later, too: the process is lost. */
  refuse(opcode: number, message: string): void {
    const kind = { type: FrameType.RESPONSE, opcode, isError: true };
    this.#connection.write(encodeProxyFrame(kind, encodeErrorResponse(message)));
  }

  /** Takes no more from it, until {@link release}. */
  hold(): void {
    this.#isHeld = true;
    this.#connection.pause();
  }

  release(): void {
    this.#isHeld = false;
    this.#work();
  }

  /** Ends it if it has gone, though not all that it had sent has been dealt with. */
  closeIfGone(): void {
    if (this.#connection.hasHungUp) this.close();
    else this.#connection.poll();
  }

  /** Ends the connection, as if the client had. */
  close(): void {
    if (!this.#connection.isOpen) return;
    this.#connection.close();
    this.#ended();
  }

  /** Ends it for something that it should not have sent. */
  #expel(reason: unknown): void {
    log("warn", `a client is sent away: ${reason instanceof Error ? reason.message : reason}`);
    this.close();
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const frame of this.#decoder.push(bytes)) {
        // The buffer is used again.
        if (this.#mustWait) this.#enqueue(frame);
        else this.#handle(frame);
      }
    } catch (error) {
      this.#expel(error);
    }
    // Otherwise it is read on, to see its end.
    if (this.#isHeld || this.#connection.blocked || this.#queuedBytes > MAX_QUEUED_BYTES)
      this.#connection.pause();
  }

  #enqueue(frame: ProxyFrame): void {
    this.#queue.push({ ...frame, payload: new Uint8Array(frame.payload) });
    this.#queuedBytes += FRAME_HEADER_BYTES + frame.payload.length;
  }

  get #mustWait(): boolean {
    return this.#busy || this.#isHeld || this.#queue.length > 0 || this.#connection.blocked;
  }

  #work(): void {
    while (this.isOpen && !this.#busy && !this.#isHeld && !this.#connection.blocked) {
      const frame = this.#queue.shift();
      if (!frame) {
        this.#connection.resume();
        return;
      }
      this.#queuedBytes -= FRAME_HEADER_BYTES + frame.payload.length;
      this.#guardedHandle(frame);
    }
  }

  #guardedHandle(frame: ProxyFrame): void {
    try {
      this.#handle(frame);
    } catch (error) {
      this.#expel(error);
    }
  }

  #handle({ type, opcode, payload }: ProxyFrame): void {
    if (!this.isOpen) return;
    if (type === FrameType.STREAM) this.#handlers.onStream(this, opcode, payload);
    else if (opcode === ProxyCommand.SIGNAL) this.#signal(payload);
    else this.#command(opcode, payload);
  }

  #command(opcode: number, payload: Uint8Array): void {
    this.#busy = true;
    void this.#answer(opcode, payload).then(() => {
      this.#busy = false;
      callSoon(() => this.#work());
    });
  }

  #signal(payload: Uint8Array): void {
    if (this.#signals >= MAX_SIGNALS) {
      this.refuse(ProxyCommand.SIGNAL, `there are ${MAX_SIGNALS} signals waiting`);
      return;
    }
    this.#signals++;
    void this.#answer(ProxyCommand.SIGNAL, payload).then(() => this.#signals--);
  }

  async #answer(opcode: number, payload: Uint8Array): Promise<void> {
    try {
      const answer = await this.#handlers.onCommand(this, opcode, payload);
      if (opcode === ProxyCommand.DISCONNECT_SHIM) return;
      this.#connection.write(encodeProxyFrame({ type: FrameType.RESPONSE, opcode }, answer));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      log("debug", `${proxyCommandName(opcode)}: ${text}`);
      this.refuse(opcode, text);
    }
  }

  #ended(): void {
    for (const gone of [...this.#gone]) gone();
    this.#handlers.onGone(this);
  }
}
