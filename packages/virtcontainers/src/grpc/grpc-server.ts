import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { decodeMessage, encodeMessage, type Method, ProtobufError, type Service } from "@husk/wire/protobuf";
import { StatusCode } from "@husk/wire/ttrpc";
import { messageOf } from "../errors/index.ts";
import { takeMessage, wrapMessage } from "./grpc-frame.ts";

/** Longest request taken, in bytes: what there is asks with nothing, or little. */
const MAX_REQUEST_BYTES = 64 * 1024;
/** Longest text of an error that is sent, in characters. */
const MAX_TEXT = 1000;

/** Answers one method. `signal` fires when the caller has gone. What it throws is the text of the answer's status. */
export type GrpcHandler = (request: object, signal: AbortSignal) => Promise<object> | object;

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

  constructor(service: Service, handlers: Readonly<Record<string, GrpcHandler>>) {
    this.#service = service;
    this.#handlers = handlers;
    this.#server = createServer({ maxSessionMemory: 4 });
    this.#server.on("stream", (stream, headers) => this.#accept(stream, headers));
    // A client that breaks HTTP/2 loses its connection, and that is all.
    this.#server.on("sessionError", () => {});
  }

  /** @throws Error EADDRINUSE and the like */
  async listen(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ path, readableAll: false, writableAll: false }, resolve);
    });
  }

  /** Takes no more calls, and settles when those that there are have been answered. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.allSettled(this.#calls);
    await closed;
  }

  #accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // What it is about is told by its end.
    stream.on("error", () => {});
    const call = this.#answer(stream, headers).catch(() => {});
    this.#calls.add(call);
    void call.finally(() => this.#calls.delete(call));
  }

  async #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const gone = new AbortController();
    stream.once("close", () => gone.abort());
    try {
      const name = this.#methodOf(headers);
      const method = this.#service.methods[name] as Method;
      const handler = this.#handlers[name];
      if (!handler) throw new GrpcError(StatusCode.UNIMPLEMENTED, `${name} is not served`);
      const request = decodeMessage(method.request, await readRequest(stream));
      const response = await handler(request, gone.signal);
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
