import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { decodeMessage, encodeMessage, type Method, ProtobufError, type Service } from "@husk/wire/protobuf";
import { StatusCode } from "@husk/wire/ttrpc";
import { messageOf } from "../errors/index.ts";
import { takeMessage, wrapMessage } from "./grpc-frame.ts";

/** Longest request taken, in bytes: what there is asks with nothing, or little. */
const MAX_REQUEST_BYTES = 64 * 1024;
/** Longest text of an error that is sent, in characters. */
const MAX_TEXT = 1000;
/** Calls that one client may have under way. */
const MAX_STREAMS = 16;
/** Milliseconds that clients are given to end their requests and their connections when the server ends. */
const DRAIN_MS = 500;

/** One call of a client. */
export interface GrpcCall {
  /** fires when the call has ended, be it that nobody waits for its answer any more */
  readonly signal: AbortSignal;
  /** fires when the client's connection has ended */
  readonly disconnected: AbortSignal;
  /** A word that the client sent beside the request; undefined: it did not. */
  metadata(name: string): string | undefined;
}

/** Answers one method. What it throws is the text of the answer's status. */
export type GrpcHandler = (request: object, call: GrpcCall) => Promise<object> | object;

/** A method cannot be done now, or not by this caller: a status with a text. */
export class GrpcError extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/** Serves one service by gRPC's unary calls over HTTP/2, on a unix socket. */
export class GrpcServer {
  readonly #server: Http2Server;
  readonly #service: Service;
  readonly #handlers: Readonly<Record<string, GrpcHandler>>;
  /** calls that are being answered */
  readonly #calls = new Set<Promise<void>>();
  /** connections, with what fires when they end */
  readonly #sessions = new Map<ServerHttp2Session, AbortController>();

  constructor(service: Service, handlers: Readonly<Record<string, GrpcHandler>>) {
    this.#service = service;
    this.#handlers = handlers;
    this.#server = createServer({ maxSessionMemory: 4, settings: { maxConcurrentStreams: MAX_STREAMS } });
    this.#server.on("session", (session) => this.#greet(session));
    this.#server.on("stream", (stream, headers) => this.#accept(stream, headers));
    // A client that breaks HTTP/2 loses its connection, and that is all.
    this.#server.on("sessionError", () => {});
  }

  /** @throws Error EADDRINUSE and the like */
  async listen(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // Later ones are of connections that could not be taken, for want of descriptors, say: their clients are told.
      this.#server.on("error", reject);
      this.#server.listen({ path, readableAll: false, writableAll: false }, resolve);
    });
  }

  /** Takes no more connections, and settles when the calls that there are have been answered, or when their time is up. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Also of calls: a client may never come to the end of its request.
    const timer = setTimeout(() => {
      for (const session of this.#sessions.keys()) session.destroy();
    }, DRAIN_MS);
    await Promise.allSettled(this.#calls);
    for (const session of this.#sessions.keys()) session.close();
    await closed;
    clearTimeout(timer);
  }

  #greet(session: ServerHttp2Session): void {
    const gone = new AbortController();
    this.#sessions.set(session, gone);
    session.once("close", () => {
      this.#sessions.delete(session);
      gone.abort();
    });
  }

  #accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // What it is about is told by its end.
    stream.on("error", () => {});
    const call = this.#answer(stream, headers).catch(() => {});
    this.#calls.add(call);
    void call.finally(() => this.#calls.delete(call));
  }

  async #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const ended = new AbortController();
    stream.once("close", () => ended.abort());
    const disconnected = stream.session && this.#sessions.get(stream.session as ServerHttp2Session)?.signal;
    const call: GrpcCall = {
      signal: ended.signal,
      disconnected: disconnected ?? AbortSignal.abort(),
      metadata: (name) => readWord(headers[name]),
    };
    try {
      const name = this.#methodOf(headers);
      const method = this.#service.methods[name] as Method;
      const handler = this.#handlers[name];
      if (!handler) throw new GrpcError(StatusCode.UNIMPLEMENTED, `${name} is not served`);
      const request = decodeMessage(method.request, await readRequest(stream));
      const response = await handler(request, call);
      send(stream, StatusCode.OK, "", encodeMessage(method.response, response));
    } catch (error) {
      const isBad = error instanceof ProtobufError;
      const status =
        error instanceof GrpcError ? error.status : isBad ? StatusCode.INVALID_ARGUMENT : StatusCode.UNKNOWN;
      send(stream, status, messageOf(error));
    }
  }

  #methodOf(headers: IncomingHttpHeaders): string {
    const [, service, name = ""] = String(headers[":path"]).split("/", 3);
    if (service === this.#service.name && Object.hasOwn(this.#service.methods, name)) return name;
    throw new GrpcError(StatusCode.UNIMPLEMENTED, `there is no ${String(headers[":path"]).slice(0, 100)}`);
  }
}

function readWord(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

async function readRequest(stream: ServerHttp2Stream): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES)
      throw new GrpcError(StatusCode.RESOURCE_EXHAUSTED, `a request of more than ${MAX_REQUEST_BYTES} bytes`);
    chunks.push(chunk);
  }
  const message = takeMessage(Buffer.concat(chunks));
  if (message) return message;
  throw new GrpcError(StatusCode.INVALID_ARGUMENT, "the request is not one message of gRPC");
}

function send(stream: ServerHttp2Stream, status: number, text: string, message?: Uint8Array): void {
  if (stream.destroyed || stream.headersSent) return;
  const trailers = {
    "grpc-status": String(status),
    ...(text ? { "grpc-message": encodeURIComponent(text.slice(0, MAX_TEXT)) } : {}),
  };
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(message && wrapMessage(message));
}
