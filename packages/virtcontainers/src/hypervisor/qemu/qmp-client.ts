import { createConnection, type Socket } from "node:net";
import {
  encodeQmpCommand,
  type QmpCommand,
  type QmpCommandName,
  type QmpCommands,
  QmpDecoder,
  type QmpMessage,
} from "@husk/wire/qmp";
import { withDeadline } from "../../deadline.ts";
import { HuskError, messageOf } from "../../errors/index.ts";

/** Limits of one command. */
export interface QmpOptions {
  /** milliseconds to wait at most */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * A connection to QEMU's control socket. QEMU serves one client at a time: connect, say what is to be said, close.
 */
export class QmpClient {
  readonly #socket: Socket;
  readonly #decoder = new QmpDecoder();
  readonly #waiters = new Map<number, Waiter>();
  #nextId = 1;
  #failure: HuskError | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#fail(`the connection to QEMU failed: ${error.message}`));
    socket.on("close", () => this.#fail("QEMU closed the connection"));
  }

  /**
   * Connects and waits for the greeting.
   * @throws HuskError ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
   */
  static async connect(path: string, options: QmpOptions): Promise<QmpClient> {
    const client = new QmpClient(createConnection(path));
    try {
      const greeting = new Promise<unknown>((resolve, reject) => client.#waiters.set(0, { resolve, reject }));
      await withDeadline(greeting, {
        ms: options.timeoutMs,
        what: "QEMU's greeting",
        signal: options.signal,
      });
      await client.execute({ execute: "qmp_capabilities" }, options);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /**
   * Connects, lets `action` say what is to be said, and closes.
   * @throws HuskError as `connect`, and whatever `action` throws
   */
  static async use<T>(
    path: string,
    options: QmpOptions,
    action: (client: QmpClient) => Promise<T>,
  ): Promise<T> {
    const client = await QmpClient.connect(path, options);
    try {
      return await action(client);
    } finally {
      client.close();
    }
  }

  /**
   * Gives a command and waits for its answer.
   * @throws HuskError ERR_QMP when QEMU refuses or goes away, ERR_TIMEOUT, ERR_ABORTED
   */
  async execute<N extends QmpCommandName>(
    command: QmpCommand<N>,
    options: QmpOptions,
  ): Promise<QmpCommands[N]["return"]> {
    if (this.#failure) throw this.#failure;
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiters.set(id, { resolve, reject }));
    this.#socket.write(encodeQmpCommand(command as QmpCommand, id));
    try {
      const what = `QEMU's answer to ${command.execute}`;
      return (await withDeadline(answer, { ms: options.timeoutMs, what, signal: options.signal })) as never;
    } finally {
      this.#waiters.delete(id);
    }
  }

  /** Ends the connection; QEMU then takes the next client. */
  close(): void {
    this.#fail("the connection was closed");
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const message of this.#decoder.push(chunk)) this.#take(message);
    } catch (error) {
      this.#fail(`QEMU sent something unintelligible: ${messageOf(error)}`);
      this.#socket.destroy();
    }
  }

  #take(message: QmpMessage): void {
    if (message.kind === "greeting") this.#waiters.get(0)?.resolve(undefined);
    // Events are not needed: that the VM has gone is seen by its process and its sockets.
    if (message.kind === "event" || message.kind === "greeting" || message.id === undefined) return;
    const waiter = this.#waiters.get(message.id);
    if (message.kind === "return") waiter?.resolve(message.value);
    else waiter?.reject(new HuskError("ERR_QMP", `QEMU refused: ${message.description.slice(0, 500)}`));
  }

  #fail(text: string): void {
    this.#failure ??= new HuskError("ERR_QMP", text);
    for (const waiter of this.#waiters.values()) waiter.reject(this.#failure);
    this.#waiters.clear();
  }
}
