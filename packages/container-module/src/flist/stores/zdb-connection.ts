import { connect, type Socket } from "node:net";
import { messageOf, withDeadline } from "@husk/virtcontainers/internals";
import { encodeRespCommand, RespDecoder, type RespReply } from "@husk/wire/resp";
import { PassingError } from "./retry.ts";

/** Who waits for an answer. */
interface Waiter {
  resolve(reply: RespReply): void;
  reject(error: Error): void;
}

/** Where a zdb listens. */
export type ZdbEndpoint = { readonly path: string } | { readonly host: string; readonly port: number };

/** A connection to a server that speaks the Redis protocol. Requests may follow each other without waiting. */
export class ZdbConnection {
  readonly #socket: Socket;
  readonly #decoder: RespDecoder;
  readonly #timeoutMs: number;
  readonly #waiters: Waiter[] = [];
  #lost: PassingError | undefined;

  private constructor(socket: Socket, maxReplyBytes: number, timeoutMs: number) {
    this.#socket = socket;
    this.#decoder = new RespDecoder(maxReplyBytes);
    this.#timeoutMs = timeoutMs;
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", (error) => this.#lose(error.message));
    socket.on("close", () => this.#lose("it closed the connection"));
  }

  /** @throws PassingError when nobody answers there */
  static async open(
    endpoint: ZdbEndpoint,
    limits: { readonly maxReplyBytes: number; readonly timeoutMs: number },
  ): Promise<ZdbConnection> {
    const socket = connect({ ...endpoint, noDelay: true });
    const connected = new Promise<void>((resolve, reject) => {
      socket.once("connect", () => resolve());
      socket.once("error", reject);
    });
    try {
      await withDeadline(connected, { ms: limits.timeoutMs, what: "a connection" });
    } catch (error) {
      socket.destroy();
      throw new PassingError(messageOf(error), { cause: error });
    }
    return new ZdbConnection(socket, limits.maxReplyBytes, limits.timeoutMs);
  }

  /** Whether it can still be used. */
  get usable(): boolean {
    return this.#lost === undefined;
  }

  /**
   * Sends a command and waits for its answer. A server that lets us wait has lost us: all that is under way fails.
   * @throws PassingError when the connection is lost
   */
  async request(words: readonly (string | Uint8Array)[]): Promise<RespReply> {
    if (this.#lost) throw this.#lost;
    const answered = new Promise<RespReply>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.#socket.write(encodeRespCommand(words));
    const timer = setTimeout(() => this.#lose(`no answer within ${this.#timeoutMs} ms`), this.#timeoutMs);
    try {
      return await answered;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#lose("the connection was closed");
  }

  #receive(chunk: Uint8Array): void {
    try {
      for (const reply of this.#decoder.feed(chunk)) {
        const waiter = this.#waiters.shift();
        if (!waiter) throw new Error("an answer to no request");
        waiter.resolve(reply);
      }
    } catch (error) {
      this.#lose(`it does not speak the protocol: ${messageOf(error)}`);
    }
  }

  #lose(why: string): void {
    this.#lost ??= new PassingError(why);
    this.#socket.destroy();
    for (const { reject } of this.#waiters.splice(0)) reject(this.#lost);
  }
}
