import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import type { Duplex } from "node:stream";
import { MAX_MESSAGE_BYTES, StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { takeMessage, wrapMessage } from "./grpc-frame.ts";
import type { RpcConnection, RpcLimits } from "./rpc-connection.ts";

/** Greatest number that a timeout can have in gRPC: eight digits. */
const MAX_TIMEOUT_MS = 99_999_999;

/** Limits of one call, and what is sent beside its request. */
interface GrpcLimits extends RpcLimits {
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** What has come of an answer. */
interface Answer {
  readonly chunks: Buffer[];
  bytes: number;
  /** the headers, or those after the message, that have the status */
  status: IncomingHttpHeaders | undefined;
}

/** gRPC's unary calls over HTTP/2, which agents of Kata 1.x and caches of VMs speak, over any stream of bytes. */
export class GrpcConnection implements RpcConnection {
  readonly #session: ClientHttp2Session;
  readonly #stream: Duplex;
  readonly #closers: (() => void)[] = [];
  #ended = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#session = connect("http://agent", { createConnection: () => stream });
    // Their calls fail; this alone would end the caller's process.
    this.#session.on("error", () => this.#session.destroy());
    this.#session.once("close", () => {
      this.#ended = true;
      for (const closer of this.#closers.splice(0)) closer();
    });
    stream.once("close", () => this.#session.destroy());
  }

  get closed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  onClose(closer: () => void): void {
    if (this.#ended) queueMicrotask(closer);
    else this.#closers.push(closer);
  }

  call(service: string, method: string, payload: Uint8Array, limits: GrpcLimits): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.closed) throw disconnected();
      const stream = this.#request(`/${service}/${method}`, limits);
      const answer: Answer = { chunks: [], bytes: 0, status: undefined };
      const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
      limits.signal?.addEventListener("abort", cancel, { once: true });
      stream.on("response", (headers) => {
        if (headers["grpc-status"] !== undefined) answer.status = headers;
      });
      stream.on("trailers", (headers) => {
        answer.status = headers;
      });
      stream.on("data", (chunk: Buffer) => {
        answer.chunks.push(chunk);
        answer.bytes += chunk.length;
        if (answer.bytes > MAX_MESSAGE_BYTES) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      });
      // What it is about is told by its end.
      stream.on("error", () => {});
      stream.once("close", () => {
        limits.signal?.removeEventListener("abort", cancel);
        try {
          resolve(readAnswer(answer));
        } catch (error) {
          reject(error as Error);
        }
      });
      stream.end(wrapMessage(payload));
      if (limits.signal?.aborted) cancel();
    });
  }

  close(): void {
    this.#session.destroy();
    this.#stream.destroy();
  }

  #request(path: string, { timeoutMs, metadata }: GrpcLimits): ClientHttp2Stream {
    return this.#session.request({
      ...metadata,
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...(timeoutMs === undefined
        ? {}
        : { "grpc-timeout": `${Math.min(Math.ceil(timeoutMs), MAX_TIMEOUT_MS)}m` }),
    });
  }
}

/** @throws TtrpcError with the answer's status */
function readAnswer({ chunks, bytes, status }: Answer): Uint8Array {
  if (bytes > MAX_MESSAGE_BYTES) {
    throw new TtrpcError(
      StatusCode.RESOURCE_EXHAUSTED,
      `the answer has more than ${MAX_MESSAGE_BYTES} bytes`,
    );
  }
  if (!status) throw disconnected();
  const code = Number(status["grpc-status"]);
  const text = String(status["grpc-message"] ?? "");
  if (code !== StatusCode.OK) throw new TtrpcError(code > 0 ? code : StatusCode.UNKNOWN, decodeText(text));
  const message = takeMessage(Buffer.concat(chunks));
  if (message) return message;
  throw new TtrpcError(StatusCode.INTERNAL, "the answer is not one message of gRPC");
}

/** gRPC's texts have their bytes percent-encoded. */
function decodeText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function disconnected(): TtrpcError {
  return new TtrpcError(StatusCode.UNAVAILABLE, "the connection is closed");
}
