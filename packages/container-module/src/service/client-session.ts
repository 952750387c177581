import type { Socket } from "node:net";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, suggestName } from "@husk/virtcontainers/internals";
import type { ContainerModule } from "../types.ts";
import { LineDecoder } from "./line-decoder.ts";
import {
  type ClientMessage,
  encodeServiceMessage,
  MAX_REQUEST_BYTES,
  parseClientMessage,
  type ServiceMessage,
} from "./messages.ts";
import { METHOD_RULES, type MethodParams } from "./method-params.ts";
import { METHODS, STREAMS } from "./methods.ts";
import { ServiceProtocolError } from "./protocol-error.ts";
import { RunningCall } from "./running-call.ts";
import { sendAway } from "./send-away.ts";
import { toWireError } from "./wire-error.ts";

/** Most calls of a client that are answered at the same time. */
const MAX_CALLS = 64;
/** Most that may wait for a client to read it, in bytes. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;

type CallMessage = Extract<ClientMessage, { kind: "call" }>;

/** One client's connection. Its calls are answered side by side, and end with it. */
export class ClientSession {
  readonly #socket: Socket;
  readonly #module: ContainerModule;
  readonly #decoder = new LineDecoder(MAX_REQUEST_BYTES);
  readonly #calls = new Map<number, { call: RunningCall; method: string; answered: Promise<void> }>();
  #isClosing = false;
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(socket: Socket, module: ContainerModule) {
    this.#socket = socket;
    this.#module = module;
    socket.on("data", (chunk) => this.#take(chunk));
    // What it is about is told by its end.
    socket.on("error", () => {});
    socket.on("drain", () => this.#tellDrained());
    // One that says no more is gone: nothing tells the two apart.
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      this.#abortAll(() => true);
      this.#tellDrained();
    });
  }

  /** Takes no more calls; settles when the client has its last answer. */
  async finish(): Promise<void> {
    this.#isClosing = true;
    this.#abortAll((method) => STREAMS.includes(method));
    await Promise.all([...this.#calls.values()].map(({ answered }) => answered));
    this.#socket.end();
  }

  /** Ends the connection, and the calls that are left. */
  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#socket.writableEnded) return;
    try {
      for (const line of this.#decoder.push(chunk)) this.#handle(parseClientMessage(line));
    } catch (error) {
      if (!(error instanceof ServiceProtocolError)) throw error;
      this.#refuseClient(error);
    }
  }

  #handle(message: ClientMessage): void {
    const running = this.#calls.get(message.id);
    if (message.kind === "call" && running)
      throw new ServiceProtocolError(`call ${message.id} is being answered already`);
    if (message.kind === "call") this.#begin(message);
    // A call may have been answered while the client wrote this.
    else if (message.kind === "cancel") running?.call.abort();
    else if (message.kind === "resize") running?.call.resize(message.size);
    else running?.call.input.receive(message.data);
  }

  #begin(message: CallMessage): void {
    const { id, method } = message;
    const call = new RunningCall(id, (sent) => this.#send(sent));
    if (this.#calls.size >= MAX_CALLS) {
      const problem = `${MAX_CALLS} calls of this connection are being answered already`;
      void this.#send({
        kind: "error",
        id,
        error: toWireError(new HuskError("ERR_MODULE_BUSY", problem)),
      });
      return;
    }
    const answered = this.#answer(message, call);
    this.#calls.set(id, { call, method, answered });
    void answered.then(() => this.#calls.delete(id));
  }

  /** Until the client has read it, an answer counts as being given. */
  async #answer({ id, method, params }: CallMessage, call: RunningCall): Promise<void> {
    try {
      if (this.#isClosing)
        throw new HuskError("ERR_MODULE_UNREACHABLE", "the container module's service ends");
      const result = await answerMethod(this.#module, method, params, call);
      await this.#send({ kind: "result", id, result });
    } catch (error) {
      await this.#send({ kind: "error", id, error: toWireError(error) });
    } finally {
      call.abort();
    }
  }

  async #send(message: ServiceMessage): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable) return;
    if (socket.writableLength > MAX_UNREAD_BYTES) {
      this.destroy();
      return;
    }
    if (!socket.write(encodeServiceMessage(message))) await this.#drain();
  }

  /** Settles when the client takes more, or is gone. */
  #drain(): Promise<void> {
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  #tellDrained(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #refuseClient(error: ServiceProtocolError): void {
    const told = new HuskError("ERR_MODULE_PROTOCOL", `the service cannot go on: ${messageOf(error)}`);
    sendAway(this.#socket, told);
    this.#abortAll(() => true);
  }

  #abortAll(which: (method: string) => boolean): void {
    for (const { call, method } of this.#calls.values()) if (which(method)) call.abort();
  }
}

/** @throws HuskError, or whatever the module throws */
async function answerMethod(
  module: ContainerModule,
  method: string,
  params: unknown,
  call: RunningCall,
): Promise<unknown> {
  if (!isMethod(method)) {
    const text = `there is no method ${JSON.stringify(method.slice(0, 80))}`;
    throw new HuskError("ERR_NOT_SUPPORTED", `${text}; ${suggestName(method, Object.keys(METHODS))}`);
  }
  METHOD_RULES[method](params, "params");
  // The rule has just told that they are of that type.
  const answer = METHODS[method] as (
    module: ContainerModule,
    params: unknown,
    call: RunningCall,
  ) => Promise<unknown>;
  return answer(module, params, call);
}

function isMethod(name: string): name is keyof MethodParams {
  return Object.hasOwn(METHODS, name);
}
