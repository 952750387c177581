import { FieldError } from "./fields.ts";
import type { TtrpcFrame } from "./frame.ts";
import { MessageType } from "./frame.ts";
import { TtrpcDecoder } from "./frame-decoder.ts";
import { MAX_CALLS, MAX_MESSAGE_BYTES, MAX_STREAM_ID } from "./limits.ts";
import { checkLength } from "./message-length.ts";
import { TtrpcProtocolError } from "./protocol-error.ts";
import type { TtrpcRequest } from "./request.ts";
import { encodeRequest } from "./request.ts";
import type { TtrpcResponse } from "./response.ts";
import { decodeResponse } from "./response.ts";
import { StatusCode, TtrpcError } from "./status.ts";

/** What a caller says of a call; what is left out is none. */
export type CallOptions = Partial<Pick<TtrpcRequest, "timeoutNano" | "metadata">>;

/** What becomes of a call: always one answer, with a status. */
export type OnAnswer = (answer: TtrpcResponse) => void;

/**
 * The client's side of a ttrpc connection, without I/O: calls in, messages out by `send`, and bytes back. Many calls
 * may be on their way; their answers come in any order.
 *
 * It knows no time: the timeout only travels. Whoever waits cancels a call that takes too long.
 */
export class TtrpcClient {
  readonly #send: (message: Uint8Array) => void;
  readonly #maxCalls: number;
  readonly #decoder = new TtrpcDecoder();
  readonly #calls = new Map<number, OnAnswer>();
  #nextId = 1;
  /** why there are no more calls */
  #lost: string | undefined;

  /** `send` gets whole messages, which are its own; `maxCalls`: most calls at a time, 1024 by default. */
  constructor(options: { send: (message: Uint8Array) => void; maxCalls?: number }) {
    this.#send = options.send;
    this.#maxCalls = options.maxCalls ?? MAX_CALLS;
  }

  /** calls that are not answered yet */
  get callCount(): number {
    return this.#calls.size;
  }

  /**
   * Calls a method; gives its answer's message.
   * @throws TtrpcError with the status of the answer, or as {@link start} does.
   */
  async call(
    service: string,
    method: string,
    payload: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array> {
    const answer = await new Promise<TtrpcResponse>((resolve) => {
      this.start(service, method, payload, resolve, options);
    });
    const { code, message } = answer.status;
    if (code !== StatusCode.OK) throw new TtrpcError(code, message);
    return answer.payload;
  }

  /**
   * Calls a method, and gives the number by which {@link cancel} knows the call. `onAnswer` is called once, from `feed`,
   * `cancel` or `end`.
   * @throws TtrpcError RESOURCE_EXHAUSTED when the request is too long or too many calls are open; UNAVAILABLE when the
   *   connection is lost.
   */
  start(
    service: string,
    method: string,
    payload: Uint8Array,
    onAnswer: OnAnswer,
    { timeoutNano = 0, metadata = [] }: CallOptions = {},
  ): number {
    if (this.#lost !== undefined) throw new TtrpcError(StatusCode.UNAVAILABLE, this.#lost);
    if (this.#calls.size >= this.#maxCalls) {
      throw new TtrpcError(StatusCode.RESOURCE_EXHAUSTED, `${this.#maxCalls} calls wait for an answer`);
    }
    const id = this.#nextId;
    if (id > MAX_STREAM_ID) throw new TtrpcError(StatusCode.UNAVAILABLE, "all numbers of streams are used");
    const message = encodeRequest({ service, method, payload, timeoutNano, metadata }, id);
    checkLength(message, `a request of ${method}`);
    this.#nextId += 2;
    this.#calls.set(id, onAnswer);
    this.#send(message);
    return id;
  }

  /** Waits no more for a call: it ends with CANCELLED. The server is not told, ttrpc has no word for it. */
  cancel(id: number, message = "the call was cancelled"): void {
    this.#answer(id, failure(StatusCode.CANCELLED, message));
  }

  /**
   * Takes the next bytes, in pieces of any size, and ends the calls that they answer.
   * @throws TtrpcProtocolError when they are not ttrpc; all calls have ended with UNAVAILABLE then.
   */
  feed(chunk: Uint8Array): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#takeFrame(frame);
    } catch (error) {
      if (!(error instanceof TtrpcProtocolError)) throw error;
      for (const frame of error.frames) this.#takeFrame(frame);
      this.end(`the server does not speak ttrpc: ${error.message}`);
      throw error;
    }
  }

  /** The connection is gone: all calls end with UNAVAILABLE, and there are no more. */
  end(reason = "the connection is closed"): void {
    this.#lost ??= reason;
    for (const id of [...this.#calls.keys()]) this.#answer(id, failure(StatusCode.UNAVAILABLE, reason));
  }

  /** Answers to calls that nobody waits for, and messages of other types, are dropped. */
  #takeFrame({ type, streamId, data, length }: TtrpcFrame): void {
    if (type === MessageType.DATA) {
      this.#answer(streamId, failure(StatusCode.INTERNAL, "the server answers with a stream"));
    } else if (type !== MessageType.RESPONSE) return;
    else if (data === undefined) {
      const problem = `the answer has ${length} bytes, more than ${MAX_MESSAGE_BYTES}`;
      this.#answer(streamId, failure(StatusCode.RESOURCE_EXHAUSTED, problem));
    } else this.#answer(streamId, readResponse(data));
  }

  #answer(id: number, answer: TtrpcResponse): void {
    const onAnswer = this.#calls.get(id);
    this.#calls.delete(id);
    onAnswer?.(answer);
  }
}

function readResponse(data: Uint8Array): TtrpcResponse {
  try {
    return decodeResponse(data);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    return failure(StatusCode.INTERNAL, `the answer cannot be read: ${error.message}`);
  }
}

function failure(code: number, message: string): TtrpcResponse {
  return { status: { code, message }, payload: new Uint8Array(0) };
}
