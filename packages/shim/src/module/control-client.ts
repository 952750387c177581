import { Connection } from "@husk/tiny";
import {
  type ShimCall,
  ShimProtocolError,
  type ShimRequest,
  ShimRequestDecoder,
  type TerminalSize,
} from "@husk/wire/module-shim";

/** What the owner of a client does. */
export interface ControlHandlers {
  /** It asks for something, and is read on only for that until it has its answer. */
  onCall(client: ControlClient, call: ShimCall): void;
  /** It has gone, or was sent away. */
  onGone(client: ControlClient): void;
}

/** What an exec does with what its client sends. */
export interface ExecInput {
  /** Takes input, none for its end. False: no more for now; {@link ControlClient.readOn} ends that. */
  giveStdin(data: Uint8Array): boolean;
  signal(signal: number): void;
  /** Tells its terminal, if it has one, its size. */
  resize(size: TerminalSize): void;
  /** More output may be sent. */
  onWritable(): void;
  /** Nobody waits for the process any more. */
  abandon(): void;
}

/** Somebody who is connected to the control socket. What is not of the protocol ends the connection, and nothing else. */
export class ControlClient {
  readonly #connection: Connection;
  readonly #handlers: ControlHandlers;
  readonly #decoder = new ShimRequestDecoder();
  #isServed = false;
  #exec: ExecInput | undefined;
  #whenSent: (() => void) | undefined;

  constructor(fd: number, handlers: ControlHandlers) {
    this.#handlers = handlers;
    this.#connection = new Connection(fd, {
      onBytes: (bytes) => this.#take(bytes),
      onWritable: () => this.#onWritable(),
      onEnd: () => this.#onGone(),
      onHangUp: () => this.close(),
    });
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  /** Whether no more should be sent for now. */
  get isBlocked(): boolean {
    return this.#connection.blocked;
  }

  /** Sends a frame in the middle of a call. */
  send(frame: Uint8Array): void {
    this.#connection.write(frame);
  }

  /** Sends the frame that ends a call. */
  answer(frame: Uint8Array): void {
    this.#isServed = false;
    this.#exec = undefined;
    this.#connection.write(frame);
    // Who asks and asks, and takes no answer, is not read on.
    if (this.#connection.blocked) this.#connection.pause();
    else this.#connection.resume();
  }

  /** Sends the last frame of all; `sent` is called when it is on its way. */
  leave(frame: Uint8Array, sent: () => void): void {
    this.#whenSent = sent;
    this.answer(frame);
    if (!this.#connection.blocked) sent();
  }

  /** What it sends from now on, until the answer, is for an exec. */
  connectExec(exec: ExecInput): void {
    this.#exec = exec;
  }

  /** Takes what was not read while input had to wait. */
  readOn(): void {
    this.#connection.resume();
  }

  close(): void {
    if (!this.#connection.isOpen) return;
    this.#connection.close();
    this.#onGone();
  }

  #onWritable(): void {
    this.#whenSent?.();
    if (this.#exec) this.#exec.onWritable();
    else this.#connection.resume();
  }

  #onGone(): void {
    const exec = this.#exec;
    this.#exec = undefined;
    this.#whenSent?.();
    this.#handlers.onGone(this);
    exec?.abandon();
  }

  #take(bytes: Uint8Array): void {
    let requests: readonly ShimRequest[];
    let isRight = true;
    try {
      requests = this.#decoder.push(bytes);
    } catch (error) {
      if (!(error instanceof ShimProtocolError)) throw error;
      requests = error.messages as readonly ShimRequest[];
      isRight = false;
    }
    if (!requests.every((request) => this.#serve(request)) || !isRight) this.close();
  }

  /** False when the request has no place here. */
  #serve(request: ShimRequest): boolean {
    if (!this.#connection.isOpen) return true;
    if (request.kind === "call") {
      if (this.#isServed) return false;
      this.#isServed = true;
      this.#handlers.onCall(this, request.call);
      return true;
    }
    // Behind the end of an exec: it was on its way.
    if (!this.#exec) return true;
    if (request.kind === "signal") this.#exec.signal(request.signal);
    else if (request.kind === "resize") this.#exec.resize(request);
    else if (!this.#exec.giveStdin(request.data)) this.#connection.pause();
    return true;
  }
}
