import type { Socket } from "node:net";
import {
  decodeProcessExited,
  encodeProxyFrame,
  FrameType,
  MAX_COMMAND_BYTES,
  type ProxyCommand,
  ProxyDecoder,
  type ProxyFrame,
  type ProxyFrameKind,
  ProxyNotification,
  parseErrorResponse,
  proxyCommandName,
} from "@husk/wire/cc-proxy";
import { type ProcessAsyncEvent, parseProcessAsyncEvent } from "@husk/wire/hyperstart";
import { withDeadline } from "../../../deadline.ts";
import { HuskError, messageOf } from "../../../errors/index.ts";
import type { CommandOptions, Reply } from "../transport.ts";

/** What is told on a connection that carries a process. */
export interface ProcessEvents {
  /** Output. `opcode`: one of ProxyStream */
  onStream(opcode: number, data: Uint8Array): void;
  /** It has ended, after all of its output. */
  onExited(exitCode: number): void;
}

/** What is told on a connection that hears of the end of every process. */
export interface GuestEvents {
  onGuestExit(event: ProcessAsyncEvent): void;
}

interface Outstanding {
  readonly opcode: ProxyCommand;
  resolve(reply: Reply): void;
  reject(error: HuskError): void;
}

/** A connection to cc-proxy, which answers its commands in their order. */
export class ProxyConnection {
  readonly #socket: Socket;
  readonly #events: Partial<ProcessEvents & GuestEvents>;
  readonly #end = Promise.withResolvers<HuskError | undefined>();
  readonly #decoder = new ProxyDecoder("client");
  readonly #outstanding: Outstanding[] = [];
  readonly #waiting: (() => void)[] = [];
  #failure: HuskError | undefined;
  #closed = false;

  constructor(socket: Socket, events: ProcessEvents | GuestEvents | undefined) {
    this.#socket = socket;
    this.#events = events ?? {};
    socket.unref();
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#wake());
    socket.on("error", () => socket.destroy());
    if (socket.closed) queueMicrotask(() => this.#ended());
    else socket.once("close", () => this.#ended());
  }

  get closed(): boolean {
    return this.#closed || this.#socket.destroyed;
  }

  /** settles when it has ended; with an error when the proxy broke the protocol */
  get ended(): Promise<HuskError | undefined> {
    return this.#end.promise;
  }

  get isPaused(): boolean {
    return this.#socket.isPaused();
  }

  /**
   * Sends a command and waits for its response. When the wait ends early, the response is still awaited and dropped.
   * @throws HuskError ERR_TIMEOUT, ERR_ABORTED, ERR_AGENT_DISCONNECTED, ERR_AGENT_PROTOCOL, ERR_AGENT_REFUSED
   */
  request(opcode: ProxyCommand, payload: object, { timeoutMs, signal }: CommandOptions): Promise<Reply> {
    const what = `the proxy's answer to ${proxyCommandName(opcode)}`;
    return withDeadline(this.ask(opcode, payload), { ms: timeoutMs, what, signal });
  }

  /** Sends a command, whose response has no deadline here. @throws as `request`, but ERR_TIMEOUT, ERR_ABORTED */
  ask(opcode: ProxyCommand, payload: object): Promise<Reply> {
    const answer = Promise.withResolvers<Reply>();
    const text = JSON.stringify(payload);
    if (this.closed) answer.reject(this.#failure ?? disconnected());
    else if (Buffer.byteLength(text) > MAX_COMMAND_BYTES) answer.reject(tooLong(opcode));
    else {
      this.#outstanding.push({ opcode, resolve: answer.resolve, reject: answer.reject });
      this.send({ type: FrameType.COMMAND, opcode }, text);
    }
    return answer.promise;
  }

  /** Sends a frame; `done` is called when more can be taken, or nothing any more. */
  send(kind: ProxyFrameKind, payload?: Uint8Array | string, done: () => void = () => {}): void {
    if (this.closed || this.#socket.write(encodeProxyFrame(kind, payload))) done();
    else this.#waiting.push(done);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection when all has been sent; what still comes is dropped. */
  end(): void {
    if (this.closed) return;
    this.#socket.end(() => this.#socket.destroy());
  }

  /** Ends the connection; outstanding commands fail. */
  close(error?: HuskError): void {
    this.#failure ??= error;
    this.#socket.destroy();
  }

  /** What it passes on comes from the guest: it can end this connection at most. */
  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) if (!this.closed) this.#take(frame);
    } catch (error) {
      const text = `the pod's proxy sent a bad message: ${messageOf(error)}`;
      this.close(new HuskError("ERR_AGENT_PROTOCOL", text, { cause: error }));
    }
  }

  #take(frame: ProxyFrame): void {
    if (frame.type === FrameType.RESPONSE) this.#takeResponse(frame);
    else if (frame.type === FrameType.STREAM) asked(this.#events.onStream)(frame.opcode, frame.payload);
    else if (frame.opcode === ProxyNotification.PROCESS_EXITED)
      asked(this.#events.onExited)(decodeProcessExited(frame.payload));
    else asked(this.#events.onGuestExit)(parseProcessAsyncEvent(frame.payload));
  }

  #takeResponse({ opcode, isError, payload }: ProxyFrame): void {
    const waiter = this.#outstanding.shift();
    if (waiter?.opcode !== opcode) {
      const wanted = waiter ? proxyCommandName(waiter.opcode) : "nothing";
      throw new Error(`an answer to ${proxyCommandName(opcode)}, when ${wanted} was asked`);
    }
    waiter.resolve(
      isError ? { ok: false, payload: Buffer.from(parseErrorResponse(payload)) } : { ok: true, payload },
    );
  }

  #ended(): void {
    this.#closed = true;
    for (const waiter of this.#outstanding.splice(0)) waiter.reject(this.#failure ?? disconnected());
    this.#wake();
    this.#end.resolve(this.#failure);
  }

  #wake(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}

/** @throws Error when nobody has asked for such news on this connection */
function asked<T>(listener: T | undefined): T {
  if (listener === undefined) throw new Error("news that nobody had asked for");
  return listener;
}

function disconnected(): HuskError {
  return new HuskError("ERR_AGENT_DISCONNECTED", "the connection to the pod's proxy has ended");
}

function tooLong(opcode: ProxyCommand): HuskError {
  const text = `the pod's proxy takes at most ${MAX_COMMAND_BYTES} bytes, and this ${proxyCommandName(opcode)} has more`;
  return new HuskError("ERR_AGENT_REFUSED", text);
}
