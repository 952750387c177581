/** A host's side of both channels to an agent, which keeps all that came in the order in which it came. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  Command,
  ControlDecoder,
  type ControlFrame,
  commandName,
  decodeNext,
  encodeControl,
  encodeStream,
  HOST_STREAM_FRAME_BYTES,
  type ProcessRequest,
  parseProcessAsyncEvent,
  STREAM_HEADER_BYTES,
  StreamDecoder,
} from "@husk/wire/hyperstart";
import { GuestProcess } from "./guest-process.ts";
import { endStage, type Stage, type StageOptions, setStage } from "./stage.ts";

/** Milliseconds after which a session is given up, with whatever waits on it. */
const DEADLINE_MS = 30_000;

/** Something that came from the agent. */
export interface Arrival {
  /** `READY`, `NEXT`, `ACK`, `ERROR`; `exit` of a process; `data` or `end` of a stream */
  kind: string;
  /** process of an exit, as `container/id` */
  process?: string;
  /** stream of data or an end */
  seq?: number;
}

interface Waiter {
  isMet(): boolean;
  resolve(): void;
}

/** See the head of the file. */
export class Session implements AsyncDisposable {
  /** all that came, oldest first */
  readonly arrivals: Arrival[] = [];
  /** bytes that NEXT has acknowledged */
  acknowledged = 0;
  /** what the agent said on its standard error */
  log = "";
  /** bytes of each stream */
  readonly streams = new Map<number, Buffer[]>();
  /** exit codes by `container/id` */
  readonly exits = new Map<string, number>();
  readonly #stage: Stage;
  readonly #replies: ControlFrame[] = [];
  readonly #failure: Promise<never>;
  #waiters: Waiter[] = [];
  #lastSeq = 1000;
  #asked = 0;
  #fail: (error: Error) => void = () => {};
  #closing = false;

  private constructor(stage: Stage) {
    this.#stage = stage;
    this.#failure = new Promise((_, reject) => {
      this.#fail = (error) => reject(new Error(`${error.message}; the agent said:\n${this.log}`));
    });
    this.#failure.catch(() => {});
    const timer = setTimeout(() => this.#fail(new Error("the session took too long")), DEADLINE_MS);
    const [control, streams] = [new ControlDecoder(), new StreamDecoder()];
    stage.control.on("data", (bytes: Buffer) =>
      this.#receive(() => {
        for (const frame of control.push(bytes)) this.#onControl(frame);
      }),
    );
    stage.stream.on("data", (bytes: Buffer) =>
      this.#receive(() => {
        for (const { seq, data } of streams.push(bytes)) this.#onStream(seq, data);
      }),
    );
    for (const socket of [stage.control, stage.stream])
      socket.on("error", (error: Error) => this.#fail(error));
    stage.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
    stage.child.on("error", (error) => this.#fail(error));
    stage.child.on("exit", () => {
      clearTimeout(timer);
      if (!this.#closing) this.#fail(new Error("the agent has ended"));
    });
  }

  /** Starts an agent and waits for its READY. */
  static async start(options: StageOptions = {}): Promise<Session> {
    const session = new Session(await setStage(options));
    await session.until(() => session.arrivals.length > 0);
    assert.deepEqual(session.arrivals, [{ kind: "READY" }]);
    return session;
  }

  /** Resolves when something that came has made `isMet` true. */
  async until(isMet: () => boolean): Promise<void> {
    if (isMet()) return;
    const met = new Promise<void>((resolve) => this.#waiters.push({ isMet, resolve }));
    await Promise.race([met, this.#failure]);
  }

  /** Sends bytes on the control channel, as they are. */
  sendControl(bytes: Uint8Array): void {
    this.#stage.control.write(bytes);
  }

  /** Sends bytes on the stream channel, as they are. Resolves when the socket has taken them. */
  sendStream(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#stage.stream.write(bytes, () => resolve()));
  }

  /** Stops and starts reading of the stream channel. */
  get streamSocket() {
    return this.#stage.stream;
  }

  /** Sends a command; gives its ACK or ERROR. */
  async command(code: number, payload?: unknown): Promise<ControlFrame> {
    this.sendControl(encodeControl(code, payload === undefined ? undefined : JSON.stringify(payload)));
    return this.nextReply();
  }

  /** The next ACK or ERROR that nobody has asked for yet. */
  async nextReply(): Promise<ControlFrame> {
    const at = this.#asked++;
    await this.until(() => this.#replies.length > at);
    return this.#replies[at] as ControlFrame;
  }

  /** Sends a command that must be done. */
  async ask(code: number, payload?: unknown): Promise<Uint8Array> {
    const reply = await this.command(code, payload);
    const said = Buffer.from(reply.payload).toString();
    assert.equal(commandName(reply.command), "ACK", `${commandName(code)}: ${said}`);
    return reply.payload;
  }

  /** Sends a command that must be refused; gives the text. */
  async refuse(code: number, payload?: unknown): Promise<string> {
    const reply = await this.command(code, payload);
    assert.equal(commandName(reply.command), "ERROR", commandName(code));
    return Buffer.from(reply.payload).toString();
  }

  /** Sends a frame whose answer is the agent's last: it must end by itself. */
  async endWith(frame: Uint8Array): Promise<void> {
    this.#closing = true;
    const { child } = this.#stage;
    const closed = once(child, "close", { signal: AbortSignal.timeout(DEADLINE_MS) });
    this.sendControl(frame);
    await closed;
    assert.equal((await this.nextReply()).command, Command.ACK);
  }

  /** Shows that the agent lives: a command is answered. */
  async ping(): Promise<void> {
    await this.ask(Command.PING);
  }

  /** Two stream numbers that nobody has. */
  nextSeqs(): { stdio: number; stderr: number } {
    this.#lastSeq += 2;
    return { stdio: this.#lastSeq, stderr: this.#lastSeq + 1 };
  }

  /** A process of the agent's own namespaces or, with `container`, of one; started. */
  async exec(
    args: string[],
    { container = "hyperstart", ...more }: Partial<ProcessRequest> & { container?: string } = {},
  ): Promise<GuestProcess> {
    const { process, spec } = this.prepare(args, container, more);
    await this.ask(Command.EXECCMD, { container, process: spec });
    return process;
  }

  /** A process that is yet to be started, and what to send for it. */
  prepare(args: string[], container: string, more: Partial<ProcessRequest> = {}) {
    const spec: ProcessRequest = { id: `process-${this.#lastSeq}`, args, ...this.nextSeqs(), ...more };
    // One of that name may have ended before.
    this.exits.delete(`${container}/${spec.id}`);
    return { process: new GuestProcess(this, container, spec), spec };
  }

  /** Sends a process's input in frames of the length that a port takes; nothing ends the input. */
  async sendInput(seq: number, data?: Uint8Array): Promise<void> {
    if (!data) return this.sendStream(encodeStream(seq));
    const step = HOST_STREAM_FRAME_BYTES - STREAM_HEADER_BYTES;
    for (let at = 0; at < data.length; at += step) {
      await this.sendStream(encodeStream(seq, data.subarray(at, at + step)));
    }
  }

  /** How often a stream has ended. */
  endsOf(seq: number): number {
    return this.arrivals.filter((arrival) => arrival.kind === "end" && arrival.seq === seq).length;
  }

  /** Hangs up. The agent must end by itself, with 0, and nothing of it may be left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await endStage(this.#stage, () => this.log);
  }

  #receive(take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#fail(error as Error);
    }
    const met = this.#waiters.filter((waiter) => waiter.isMet());
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter));
    for (const waiter of met) waiter.resolve();
  }

  #onControl(frame: ControlFrame): void {
    if (frame.command === Command.PROCESSASYNCEVENT) {
      const { container, process, status } = parseProcessAsyncEvent(frame.payload);
      this.exits.set(`${container}/${process}`, status);
      this.arrivals.push({ kind: "exit", process: `${container}/${process}` });
      return;
    }
    this.arrivals.push({ kind: commandName(frame.command) });
    if (frame.command === Command.NEXT) this.acknowledged += decodeNext(frame.payload);
    else if (frame.command !== Command.READY) this.#replies.push(frame);
  }

  #onStream(seq: number, data: Uint8Array): void {
    const kind = data.length > 0 ? "data" : "end";
    const last = this.arrivals.at(-1);
    // Long output is one arrival, or the list would grow without end.
    if (kind === "end" || last?.kind !== "data" || last.seq !== seq) this.arrivals.push({ kind, seq });
    const chunks = this.streams.get(seq) ?? [];
    chunks.push(Buffer.from(data));
    this.streams.set(seq, chunks);
  }
}
