import type { Socket } from "node:net";
import {
  type AttachEvent,
  AttachEventDecoder,
  type AttachHello,
  AttachProtocolError,
  type ExitRecord,
} from "@husk/wire/attach";
import { connectSocket } from "../agent/socket.ts";
import { withDeadline } from "../deadline.ts";
import { HuskError } from "../errors/index.ts";

/** Takes output of the process. */
export type OnOutput = (event: Extract<AttachEvent, { kind: "output" }>) => void;

/** What the wait for a shim's first words is bound by. */
interface OpenLimits {
  /** milliseconds */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A connection to the shim of a detached process. */
export class AttachConnection {
  readonly socket: Socket;
  readonly #decoder = new AttachEventDecoder();
  readonly #hello = Promise.withResolvers<AttachHello>();
  readonly #ended = Promise.withResolvers<ExitRecord | undefined>();
  #exit: ExitRecord | undefined;
  #onOutput: OnOutput = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    this.#hello.promise.catch(() => {});
    this.#ended.promise.catch(() => {});
    socket.on("data", (chunk) => this.#take(chunk));
    socket.once("close", () => {
      this.#hello.reject(shimLost("a shim has closed the connection without a word"));
      this.#ended.resolve(this.#exit);
    });
  }

  /**
   * Connects to a shim.
   * @throws Error ENOENT or ECONNREFUSED when there is none; HuskError ERR_SHIM_LOST, ERR_TIMEOUT, ERR_ABORTED
   */
  static async open(path: string, { timeoutMs: ms, signal }: OpenLimits): Promise<AttachConnection> {
    const connection = new AttachConnection(await connectSocket(path, signal));
    try {
      await withDeadline(connection.#hello.promise, { ms, signal, what: "a shim to answer" });
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** What the shim says of itself and its process. */
  hello(): Promise<AttachHello> {
    return this.#hello.promise;
  }

  /**
   * Settles when the connection has ended: with how the process ended, or undefined when the shim did not tell.
   * @throws HuskError ERR_SHIM_LOST when the shim said what it may not
   */
  ended(): Promise<ExitRecord | undefined> {
    return this.#ended.promise;
  }

  /** Who takes the output that has been subscribed to. */
  set onOutput(take: OnOutput) {
    this.#onOutput = take;
  }

  close(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    try {
      for (const event of this.#decoder.push(chunk)) this.#handle(event);
    } catch (error) {
      if (!(error instanceof AttachProtocolError)) throw error;
      const problem = shimLost(`a shim does not keep to its protocol: ${error.message}`, error);
      this.#hello.reject(problem);
      this.#ended.reject(problem);
      this.close();
    }
  }

  #handle(event: AttachEvent): void {
    if (event.kind === "hello") this.#hello.resolve(event.hello);
    else if (event.kind === "exit") this.#exit = event.exit;
    else this.#onOutput(event);
  }
}

function shimLost(text: string, cause?: unknown): HuskError {
  return new HuskError("ERR_SHIM_LOST", text, { cause });
}
