import { FieldError } from "./fields.ts";
import type { TtrpcFrame } from "./frame.ts";
import { MessageFlag, MessageType } from "./frame.ts";
import { TtrpcDecoder } from "./frame-decoder.ts";
import { MAX_CALLS, MAX_MESSAGE_BYTES } from "./limits.ts";
import { checkLength } from "./message-length.ts";
import { TtrpcProtocolError } from "./protocol-error.ts";
import type { TtrpcRequest } from "./request.ts";
import { decodeRequest } from "./request.ts";
import { encodeResponse } from "./response.ts";
import type { Status } from "./status.ts";
import { StatusCode, statusOf, TtrpcError } from "./status.ts";
import type { Tail, TailedAnswer } from "./tail.ts";

/** A call to be answered. */
export interface TtrpcCall extends TtrpcRequest {
  /**
   * Has `action` called when nobody waits for the answer any more, because the connection is gone or the client broke
   * the call; at once when that is so already. What a handler gives afterwards is dropped.
   */
  onAbandoned(action: () => void): void;
}

/** The method's own message; one with a tail only for servers that send tails. */
export type TtrpcAnswer<T extends Tail = never> = Uint8Array | TailedAnswer<T>;

/** Answers a call with the method's own message, or throws; a {@link TtrpcError} to choose the status. */
export type TtrpcHandler<T extends Tail = never> = (
  call: TtrpcCall,
) => TtrpcAnswer<T> | Promise<TtrpcAnswer<T>>;

/** What can be called, by the name of the service and of the method. */
export type TtrpcServices<T extends Tail = never> = ReadonlyMap<string, ReadonlyMap<string, TtrpcHandler<T>>>;

/** What a call's end does, beside its answer. */
interface OpenCall {
  abandoned: boolean;
  actions: (() => void)[];
}

const NOTHING: Uint8Array = new Uint8Array(0);

const SUCCESS: Status = { code: StatusCode.OK, message: "" };

/**
 * The server's side of a ttrpc connection, without I/O: bytes in, answers out by `send`. Each request gets one answer,
 * whatever is wrong with it. Calls run side by side.
 *
 * It answers all that it is fed. So that a client which reads nothing cannot fill the memory, the owner feeds no more
 * while its own output is full.
 */
export class TtrpcServer<T extends Tail = never> {
  readonly #send: (message: Uint8Array, tail?: T) => void;
  readonly #services: TtrpcServices<T>;
  readonly #maxCalls: number;
  readonly #decoder = new TtrpcDecoder();
  readonly #calls = new Map<number, OpenCall>();
  #lastId = 0;
  #ended = false;

  /**
   * `send` gets messages, which are its own, whole or with the tail that belongs behind them; `maxCalls`: most calls at
   * a time, 1024 by default.
   */
  constructor(options: {
    services: TtrpcServices<T>;
    send: (message: Uint8Array, tail?: T) => void;
    maxCalls?: number;
  }) {
    this.#services = options.services;
    this.#send = options.send;
    this.#maxCalls = options.maxCalls ?? MAX_CALLS;
  }

  /** calls that are not answered yet */
  get callCount(): number {
    return this.#calls.size;
  }

  /**
   * Takes the next bytes, in pieces of any size, and begins the calls in them.
   * @throws TtrpcProtocolError when they are not ttrpc: close the connection, and call {@link end}.
   */
  feed(chunk: Uint8Array): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#takeFrame(frame);
    } catch (error) {
      if (error instanceof TtrpcProtocolError) for (const frame of error.frames) this.#takeFrame(frame);
      throw error;
    }
  }

  /** The connection is gone: all calls are abandoned. */
  end(): void {
    this.#ended = true;
    for (const id of [...this.#calls.keys()]) this.#abandon(id);
  }

  #takeFrame(frame: TtrpcFrame): void {
    const { type, streamId } = frame;
    // Other types may come to mean something one day.
    if (this.#ended || (type !== MessageType.REQUEST && type !== MessageType.DATA)) return;
    try {
      if (type === MessageType.DATA) throw refusal("a unary call takes no data");
      this.#begin(streamId, this.#readRequest(frame));
    } catch (error) {
      if (!(error instanceof TtrpcError)) throw error;
      // If the number is that of an open call, the client takes this for its answer.
      this.#abandon(streamId);
      this.#answer(streamId, { code: error.code, message: error.message }, NOTHING);
    }
  }

  /** @throws TtrpcError when the request cannot be served */
  #readRequest({ streamId, flags, data, length }: TtrpcFrame): TtrpcRequest {
    if (streamId % 2 !== 1) throw refusal(`a client's stream is odd, not ${streamId}`);
    if (streamId <= this.#lastId) throw refusal(`stream ${streamId} comes after ${this.#lastId}`);
    this.#lastId = streamId;
    if (data === undefined) {
      const problem = `the request has ${length} bytes, more than ${MAX_MESSAGE_BYTES}`;
      throw new TtrpcError(StatusCode.RESOURCE_EXHAUSTED, problem);
    }
    if (flags & MessageFlag.REMOTE_OPEN) {
      throw new TtrpcError(StatusCode.UNIMPLEMENTED, "requests are not taken as streams");
    }
    try {
      return decodeRequest(data);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      throw refusal(`the request cannot be read: ${error.message}`);
    }
  }

  /** @throws TtrpcError when the call does not begin */
  #begin(id: number, request: TtrpcRequest): void {
    const handler = this.#find(request);
    if (request.timeoutNano < 0) {
      throw new TtrpcError(StatusCode.DEADLINE_EXCEEDED, "the caller's time is over already");
    }
    if (this.#calls.size >= this.#maxCalls) {
      throw new TtrpcError(StatusCode.RESOURCE_EXHAUSTED, `${this.#maxCalls} calls are open`);
    }
    const call: OpenCall = { abandoned: false, actions: [] };
    this.#calls.set(id, call);
    const onAbandoned = (action: () => void) => {
      if (call.abandoned) action();
      else call.actions.push(action);
    };
    let answer: TtrpcAnswer<T> | Promise<TtrpcAnswer<T>>;
    try {
      answer = handler({ ...request, onAbandoned });
    } catch (error) {
      this.#finish(id, call, statusOf(error));
      return;
    }
    if (answer instanceof Promise) this.#finishLater(id, call, answer);
    else this.#finish(id, call, SUCCESS, answer);
  }

  #finishLater(id: number, call: OpenCall, answer: Promise<TtrpcAnswer<T>>): void {
    answer.then(
      (payload) => this.#finish(id, call, SUCCESS, payload),
      (error: unknown) => this.#finish(id, call, statusOf(error)),
    );
  }

  /** @throws TtrpcError UNIMPLEMENTED */
  #find({ service, method }: TtrpcRequest): TtrpcHandler<T> {
    const methods = this.#services.get(service);
    if (!methods) throw new TtrpcError(StatusCode.UNIMPLEMENTED, `there is no service "${service}"`);
    const handler = methods.get(method);
    if (handler) return handler;
    throw new TtrpcError(StatusCode.UNIMPLEMENTED, `service ${service} has no method "${method}"`);
  }

  #finish(id: number, call: OpenCall, status: Status, answer: TtrpcAnswer<T> = NOTHING): void {
    // The call may have been abandoned; then nobody wants this.
    if (this.#calls.get(id) !== call) {
      if (!(answer instanceof Uint8Array)) answer.tail.giveBack();
      return;
    }
    this.#calls.delete(id);
    this.#answer(id, status, answer);
  }

  #answer(id: number, status: Status, answer: TtrpcAnswer<T>): void {
    const [payload, tail] = answer instanceof Uint8Array ? [answer] : [answer.head, answer.tail];
    const message = encodeResponse({ status, payload }, id, tail?.length);
    try {
      checkLength(message, "the answer", tail?.length);
    } catch (error) {
      tail?.giveBack();
      this.#send(encodeResponse({ status: statusOf(error), payload: NOTHING }, id));
      return;
    }
    this.#send(message, tail);
  }

  #abandon(id: number): void {
    const call = this.#calls.get(id);
    if (!call) return;
    this.#calls.delete(id);
    call.abandoned = true;
    for (const action of call.actions) action();
  }
}

function refusal(problem: string): TtrpcError {
  return new TtrpcError(StatusCode.INVALID_ARGUMENT, problem);
}
