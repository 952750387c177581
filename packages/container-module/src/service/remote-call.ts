import { createConnection, type Socket } from "node:net";
import { HuskError } from "@husk/virtcontainers";
import { abortError, messageOf, throwIfAborted } from "@husk/virtcontainers/internals";
import type { TerminalSize } from "../types.ts";
import { LineDecoder } from "./line-decoder.ts";
import {
  encodeClientMessage,
  MAX_ANSWER_BYTES,
  MAX_REQUEST_BYTES,
  type OutputName,
  parseServiceMessage,
  type ServiceMessage,
} from "./messages.ts";
import type { MethodParams } from "./method-params.ts";
import { ServiceProtocolError } from "./protocol-error.ts";
import { fromWireError } from "./wire-error.ts";

/** The only call of a connection. */
const ID = 1;
/** How long the service may take to undo what an aborted call has made, in milliseconds. */
const ABORT_GRACE_MS = 30_000;

/** What comes before a call's answer. */
export interface CallListener {
  onStarted?(): void;
  /** takes output; false: hold the rest until `resume` is called */
  onOutput?(stream: OutputName, data: Uint8Array): boolean;
  /** bytes of input have been passed on */
  onTaken?(bytes: number): void;
}

/** One call of the service, on a connection of its own: a slow one does not hold up others. */
export class RemoteCall {
  /** what the service answers. Rejects with HuskError: the service's, ERR_MODULE_UNREACHABLE, ERR_MODULE_PROTOCOL, ERR_ABORTED */
  readonly answer: Promise<unknown>;
  readonly #socket: Socket;
  readonly #listener: CallListener;
  readonly #signal: AbortSignal | undefined;
  readonly #decoder = new LineDecoder(MAX_ANSWER_BYTES);
  readonly #settled = Promise.withResolvers<unknown>();
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, listener: CallListener, signal: AbortSignal | undefined) {
    this.#listener = listener;
    this.#signal = signal;
    this.answer = this.#settled.promise;
    this.answer.catch(() => {});
    this.#socket = createConnection(path);
    this.#socket.on("data", (chunk) => this.#take(chunk));
    this.#socket.on("error", (cause) => this.#fail(unreachable(path, messageOf(cause), cause)));
    this.#socket.once("close", () => this.#end(path));
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Calls a method.
   * @throws HuskError ERR_ABORTED, ERR_CONFIG_INVALID when the parameters are too long to be sent
   */
  static begin<Name extends keyof MethodParams>(
    path: string,
    method: Name,
    params: MethodParams[Name],
    { signal, ...listener }: CallListener & { readonly signal?: AbortSignal | undefined },
  ): RemoteCall {
    throwIfAborted(signal);
    const line = encodeClientMessage({ kind: "call", id: ID, method, params });
    if (Buffer.byteLength(line) > MAX_REQUEST_BYTES)
      throw new HuskError("ERR_CONFIG_INVALID", `the parameters have more than ${MAX_REQUEST_BYTES} bytes`);
    const call = new RemoteCall(path, listener, signal);
    call.#socket.write(line);
    return call;
  }

  /** Sends input; none: its end. */
  sendInput(data: Uint8Array | undefined): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeClientMessage({ kind: "input", id: ID, data }));
  }

  /** Tells the size of a terminal. */
  sendSize(size: TerminalSize): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeClientMessage({ kind: "resize", id: ID, size }));
  }

  /** Goes on with output that was held. */
  resume(): void {
    this.#socket.resume();
  }

  /** Ends the call: without its connection it has no caller. */
  close(): void {
    this.#socket.destroy();
  }

  readonly #onAbort = () => {
    // Output that nobody reads any more must not keep the answer away.
    this.#socket.resume();
    this.#socket.write(encodeClientMessage({ kind: "cancel", id: ID }));
    this.#timer = setTimeout(() => this.close(), ABORT_GRACE_MS);
  };

  #take(chunk: Buffer): void {
    try {
      for (const line of this.#decoder.push(chunk)) this.#handle(parseServiceMessage(line));
    } catch (cause) {
      if (!(cause instanceof ServiceProtocolError)) throw cause;
      const problem = `the service does not keep to its protocol: ${cause.message}`;
      this.#fail(new HuskError("ERR_MODULE_PROTOCOL", problem, { cause }));
    }
  }

  #handle(message: ServiceMessage): void {
    const { kind } = message;
    if (kind === "error") this.#fail(fromWireError(message.error));
    else if (message.id !== ID) throw new ServiceProtocolError(`call ${message.id} is none of ours`);
    else if (kind === "result") {
      this.#settled.resolve(message.result);
      this.close();
    } else if (kind === "started") this.#listener.onStarted?.();
    else if (kind === "taken") this.#listener.onTaken?.(message.bytes);
    else if (this.#listener.onOutput?.(message.stream, message.data) === false && !this.#signal?.aborted)
      this.#socket.pause();
  }

  #fail(error: Error): void {
    this.#settled.reject(error);
    this.close();
  }

  #end(path: string): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const error = this.#signal?.aborted
      ? abortError(this.#signal)
      : unreachable(path, "it has closed the connection");
    this.#settled.reject(error);
  }
}

/** The error for a service that gives no answer. */
export function unreachable(path: string, why: string, cause?: unknown): HuskError {
  return new HuskError("ERR_MODULE_UNREACHABLE", `no answer from the container module at ${path}: ${why}`, {
    cause,
  });
}
