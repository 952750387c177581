import { createConnection, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import {
  encodeQmpCommand,
  isQmpEvent,
  type QmpCommand,
  type QmpCommandName,
  type QmpCommands,
  QmpDecoder,
  type QmpEvent,
  type QmpEventName,
  type QmpEvents,
  type QmpFailure,
  type QmpMessage,
} from "@husk/wire/qmp";
import { throwIfAborted, withDeadline } from "../../deadline.ts";
import { HuskError, isHuskError, messageOf, systemCode } from "../../errors/index.ts";
import { descriptorOf } from "../../store/descriptors.ts";

/** Milliseconds between two attempts to connect to a QEMU whose queue is full. */
const QUEUE_FULL_DELAY_MS = 5;

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

interface Listener extends Waiter {
  hears(message: QmpMessage): boolean;
}

/** Whether an error is QEMU's refusal of a command, of this class. */
export function isRefusal(error: unknown, errorClass: string): boolean {
  return (
    isHuskError(error, "ERR_QMP") &&
    error.cause instanceof QmpRefusal &&
    error.cause.errorClass === errorClass
  );
}

class QmpRefusal extends Error {
  readonly errorClass: string;

  constructor({ errorClass, description }: QmpFailure) {
    super(description);
    this.errorClass = errorClass;
  }
}

/**
 * A connection to QEMU's control socket. QEMU serves one client at a time: connect, say what is to be said, close.
 */
export class QmpClient {
  readonly #socket: Socket;
  readonly #decoder = new QmpDecoder();
  readonly #waiters = new Map<number, Waiter>();
  readonly #listeners = new Set<Listener>();
  #nextId = 1;
  #failure: HuskError | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#fail(`the connection to QEMU failed: ${error.message}`, error));
    socket.on("close", () => this.#fail("QEMU closed the connection"));
  }

  /**
   * Connects and waits for the greeting. QEMU lets one or two clients queue; of a longer queue the kernel says EAGAIN, and
   * gives no sign when it gets shorter.
   * @throws HuskError ERR_QMP, ERR_TIMEOUT, ERR_ABORTED
   */
  static async connect(path: string, options: QmpOptions): Promise<QmpClient> {
    const end = performance.now() + options.timeoutMs;
    for (;;) {
      try {
        const timeoutMs = Math.max(end - performance.now(), 1);
        return await QmpClient.#connectOnce(path, { ...options, timeoutMs });
      } catch (error) {
        const isQueueFull = isHuskError(error, "ERR_QMP") && systemCode(error.cause) === "EAGAIN";
        if (!isQueueFull || performance.now() > end) throw error;
        await delay(QUEUE_FULL_DELAY_MS);
        throwIfAborted(options.signal);
      }
    }
  }

  static async #connectOnce(path: string, options: QmpOptions): Promise<QmpClient> {
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

  /**
   * Lets somebody else give commands by this connection, because he can send a descriptor with each, and waits for the answers.
   * @param give is told the connection's descriptor, and the bytes of the commands in their order
   * @throws HuskError as `execute`, and whatever `give` throws
   */
  async executeByOther(
    commands: readonly QmpCommand[],
    give: (connection: number, lines: string) => Promise<void>,
    options: QmpOptions,
  ): Promise<void> {
    if (this.#failure) throw this.#failure;
    const first = this.#nextId;
    this.#nextId += commands.length;
    const answers = commands.map(
      (_, index) =>
        new Promise<unknown>((resolve, reject) => this.#waiters.set(first + index, { resolve, reject })),
    );
    const answered = Promise.all(answers);
    answered.catch(() => {});
    try {
      const lines = commands.map((command, index) => encodeQmpCommand(command, first + index));
      await give(descriptorOf(this.#socket), Buffer.concat(lines).toString());
      await withDeadline(answered, { ms: options.timeoutMs, what: "QEMU's answers", signal: options.signal });
    } finally {
      for (const index of commands.keys()) this.#waiters.delete(first + index);
    }
  }

  /**
   * Waits for the next event of a name whose data are the right ones. Call it before the command that leads to the event.
   * @throws HuskError ERR_QMP when QEMU goes away, ERR_TIMEOUT, ERR_ABORTED
   */
  async nextEvent<N extends QmpEventName>(
    name: N,
    isRight: (data: QmpEvents[N]) => boolean,
    options: QmpOptions,
  ): Promise<void> {
    if (this.#failure) throw this.#failure;
    const hears = (message: QmpMessage) =>
      isQmpEvent(message, name) && isRight((message as QmpEvent<N>).data as QmpEvents[N]);
    let listener: Listener | undefined;
    const heard = new Promise<unknown>((resolve, reject) => {
      listener = { hears, resolve, reject };
      this.#listeners.add(listener);
    });
    try {
      await withDeadline(heard, {
        ms: options.timeoutMs,
        what: `QEMU's event ${name}`,
        signal: options.signal,
      });
    } finally {
      if (listener) this.#listeners.delete(listener);
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
    for (const listener of this.#listeners) if (listener.hears(message)) listener.resolve(undefined);
    if (message.kind === "event" || message.kind === "greeting" || message.id === undefined) return;
    const waiter = this.#waiters.get(message.id);
    if (message.kind === "return") waiter?.resolve(message.value);
    else waiter?.reject(refusalError(message));
  }

  #fail(text: string, cause?: unknown): void {
    this.#failure ??= new HuskError("ERR_QMP", text, { cause });
    for (const waiter of [...this.#waiters.values(), ...this.#listeners]) waiter.reject(this.#failure);
    this.#waiters.clear();
    this.#listeners.clear();
  }
}

function refusalError(failure: QmpFailure): HuskError {
  const cause = new QmpRefusal(failure);
  return new HuskError("ERR_QMP", `QEMU refused: ${failure.description.slice(0, 500)}`, { cause });
}
