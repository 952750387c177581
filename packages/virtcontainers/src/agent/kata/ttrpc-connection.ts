import type { Duplex } from "node:stream";
import { StatusCode, TtrpcClient, TtrpcError, type TtrpcResponse } from "@husk/wire/ttrpc";
import type { RpcConnection, RpcLimits } from "../../grpc/rpc-connection.ts";

const NANOSECONDS = 1_000_000;

/** ttRPC, which Kata's agent speaks since 2.0, over any stream of bytes. */
export class TtrpcConnection implements RpcConnection {
  readonly #stream: Duplex;
  readonly #client: TtrpcClient;
  readonly #closers: (() => void)[] = [];
  #ended = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#client = new TtrpcClient({ send: (message) => void stream.write(message) });
    stream.on("data", (chunk: Buffer) => this.#feed(chunk));
    stream.on("error", () => stream.destroy());
    stream.once("end", () => stream.destroy());
    stream.once("close", () => this.#end());
    if (stream.destroyed) queueMicrotask(() => this.#end());
  }

  get closed(): boolean {
    return this.#stream.destroyed;
  }

  onClose(closer: () => void): void {
    if (this.#ended) queueMicrotask(closer);
    else this.#closers.push(closer);
  }

  async call(
    service: string,
    method: string,
    payload: Uint8Array,
    { timeoutMs = 0, signal }: RpcLimits,
  ): Promise<Uint8Array> {
    const answer = Promise.withResolvers<TtrpcResponse>();
    const timeoutNano = Math.round(timeoutMs) * NANOSECONDS;
    const id = this.#client.start(service, method, payload, answer.resolve, { timeoutNano });
    const cancel = () => this.#client.cancel(id);
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      if (signal?.aborted) cancel();
      const { status, payload: message } = await answer.promise;
      if (status.code !== StatusCode.OK) throw new TtrpcError(status.code, status.message);
      return message;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  close(): void {
    this.#stream.destroy();
    this.#end();
  }

  /** Bytes that are no ttRPC end the connection. */
  #feed(chunk: Buffer): void {
    try {
      this.#client.feed(chunk);
    } catch {
      this.close();
    }
  }

  #end(): void {
    this.#ended = true;
    this.#client.end();
    for (const closer of this.#closers.splice(0)) closer();
  }
}
