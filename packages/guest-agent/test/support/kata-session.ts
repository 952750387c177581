/** A host's side of the Kata door: yamux on the agent's port, and ttrpc on a stream of it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { AgentService, Health } from "@husk/wire/kata";
import {
  decodeMessage,
  encodeMessage,
  type Method,
  type MethodName,
  type RequestInitOf,
  type ResponseOf,
  type Service,
} from "@husk/wire/protobuf";
import { statusName, TtrpcClient, TtrpcError } from "@husk/wire/ttrpc";
import { SendQueue, YamuxSession, type YamuxStream } from "@husk/wire/yamux";
import { endStage, type Stage, type StageOptions, setStage } from "./stage.ts";

/** Milliseconds after which a session is given up, with whatever waits on it. */
const DEADLINE_MS = 30_000;

/** A ttrpc connection to the agent. */
export class KataConnection {
  readonly stream: YamuxStream;
  readonly queue: SendQueue;
  readonly client: TtrpcClient;
  readonly #failure: Promise<never>;

  constructor(stream: YamuxStream, failure: Promise<never>) {
    this.stream = stream;
    this.queue = new SendQueue(stream);
    this.client = new TtrpcClient({ send: (message) => void this.queue.push(message) });
    this.#failure = failure;
  }

  /** Calls a method of the agent's service. @throws TtrpcError with the agent's status */
  call<Name extends MethodName<typeof AgentService>>(
    name: Name,
    request: RequestInitOf<typeof AgentService, Name>,
  ): Promise<ResponseOf<typeof AgentService, Name>> {
    return this.#call(AgentService, name, request);
  }

  /** Calls a method of the health service. */
  health<Name extends MethodName<typeof Health>>(name: Name): Promise<ResponseOf<typeof Health, Name>> {
    return this.#call(Health, name, {} as RequestInitOf<typeof Health, Name>);
  }

  /** Calls a method that must be refused; gives the status's name and its text. */
  async refuse<Name extends MethodName<typeof AgentService>>(
    name: Name,
    request: RequestInitOf<typeof AgentService, Name>,
  ): Promise<{ status: string; message: string }> {
    try {
      await this.call(name, request);
    } catch (error) {
      if (!(error instanceof TtrpcError)) throw error;
      return { status: statusName(error.code), message: error.message };
    }
    return assert.fail(`${name} was not refused`);
  }

  async #call<S extends Service, Name extends MethodName<S>>(
    service: S,
    name: Name,
    request: RequestInitOf<S, Name>,
  ): Promise<ResponseOf<S, Name>> {
    const method = service.methods[name] as Method;
    const payload = encodeMessage(method.request, request as object);
    const answer = await Promise.race([this.client.call(service.name, name, payload), this.#failure]);
    return decodeMessage(method.response, answer) as ResponseOf<S, Name>;
  }
}

/** What an agent finds when it starts, and how long the session may take. */
interface KataSessionOptions extends Omit<StageOptions, "door"> {
  /** milliseconds after which it is given up; default: 30 s */
  deadlineMs?: number;
}

/** See the head of the file. */
export class KataSession extends KataConnection implements AsyncDisposable {
  readonly #stage: Stage;
  readonly #yamux: YamuxSession;
  readonly #said: { log: string; closing: boolean };
  readonly #failed: Promise<never>;
  readonly #connections = new Map<YamuxStream, KataConnection>();

  private constructor(
    stage: Stage,
    yamux: YamuxSession,
    failed: Promise<never>,
    said: { log: string; closing: boolean },
  ) {
    super(yamux.openStream(), failed);
    this.#stage = stage;
    this.#yamux = yamux;
    this.#said = said;
    this.#failed = failed;
    this.#connections.set(this.stream, this);
  }

  /** Starts an agent with its Kata door open. */
  static async start(options: KataSessionOptions = {}): Promise<KataSession> {
    const { deadlineMs = DEADLINE_MS, ...stageOptions } = options;
    const stage = await setStage({ ...stageOptions, door: "kata" });
    const said = { log: "", closing: false };
    const failure = Promise.withResolvers<never>();
    failure.promise.catch(() => {});
    const fail = (error: Error) =>
      failure.reject(new Error(`${error.message}; the agent said:\n${said.log}`));
    const timer = setTimeout(() => fail(new Error("the session took too long")), deadlineMs);
    const port = stage.control;
    const yamux = new YamuxSession({ role: "client", sink: (frame) => port.write(frame) });
    const session = new KataSession(stage, yamux, failure.promise, said);
    const handle = (events: ReturnType<YamuxSession["feed"]>) => {
      for (const event of events) {
        if (event.kind === "failed") return fail(event.error);
        if ("stream" in event) session.#take(event);
      }
    };
    port.on("data", (bytes: Buffer) => handle(yamux.feed(bytes)));
    port.on("drain", () => handle(yamux.resume()));
    port.on("error", fail);
    stage.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said.log += text;
    });
    stage.child.on("error", fail);
    stage.child.on("exit", () => {
      clearTimeout(timer);
      if (!said.closing) fail(new Error("the agent has ended"));
    });
    await session.health("Check");
    return session;
  }

  /** What the agent said on its standard error. */
  get log(): string {
    return this.#said.log;
  }

  /** Number of the agent's process on this host: `/proc/PID/root` is what it sees as its root. */
  get agentPid(): number {
    const { pid } = this.#stage.child;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
  }

  /** One more connection to the same agent. */
  connect(): KataConnection {
    const connection = new KataConnection(this.#yamux.openStream(), this.#failed);
    this.#connections.set(connection.stream, connection);
    return connection;
  }

  /** A stream on which nothing that comes is read. */
  openIdleStream(): YamuxStream {
    return this.#yamux.openStream();
  }

  /** Hangs up. The agent must end by itself, with 0, and nothing of it may be left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#said.closing = true;
    await endStage(this.#stage, () => this.log);
  }

  #take(event: Extract<ReturnType<YamuxSession["feed"]>[number], { stream: YamuxStream }>): void {
    const connection = this.#connections.get(event.stream);
    if (connection === undefined) return;
    if (event.kind === "data") {
      event.stream.consume(event.data.length);
      connection.client.feed(event.data);
    } else if (event.kind === "writable") connection.queue.flush();
    else if (event.kind === "reset" || event.kind === "end") connection.client.end();
  }
}
