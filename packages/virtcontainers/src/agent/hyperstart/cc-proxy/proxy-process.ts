import { FrameType, MAX_STREAM_BYTES, ProxyCommand, ProxyStream } from "@husk/wire/cc-proxy";
import { HuskError } from "../../../errors/index.ts";
import type { GuestProcess } from "../../guest-process.ts";
import type {
  CommandOptions,
  PreparedProcess,
  ProcessName,
  ProcessStreams,
  Reply,
  TransportEvents,
} from "../transport.ts";
import { Endurance } from "./endurance.ts";
import type { ProcessStart } from "./process-start.ts";
import { checkProxyReply } from "./proxy-commands.ts";
import type { ProcessEvents, ProxyConnection } from "./proxy-connection.ts";
import { type ProxyEndpoint, tellingError } from "./proxy-endpoint.ts";

const STDIN = { type: FrameType.STREAM, opcode: ProxyStream.STDIN };

/** What is told of a process that is carried. */
export interface ProxyProcessEvents extends Pick<TransportEvents, "onStreamsLost"> {
  /** It has ended, and all of its output has come. */
  onEnd(process: ProxyProcess, status: number): void;
  /** It has been released, and its connection has ended. */
  onGone(process: ProxyProcess): void;
}

/** A process that this process carries over a connection of its own to the proxy, as a shim does. */
export class ProxyProcess implements PreparedProcess, ProcessStreams {
  readonly seqs = { stdio: 0, stderr: 0 };
  readonly streams = this;
  readonly name: ProcessName;
  /** its end has been told to whoever wants to hear of all ends */
  exitTold = false;
  readonly #process: GuestProcess;
  readonly #start: ProcessStart;
  readonly #endpoint: ProxyEndpoint;
  readonly #events: ProxyProcessEvents;
  #connection: ProxyConnection | undefined;
  /** input for a connection that is being made anew */
  #waiting: (() => void)[] = [];
  readonly #endurance = new Endurance();
  #isLost = false;
  #released = false;

  constructor(
    name: ProcessName,
    process: GuestProcess,
    { start, endpoint, events }: { start: ProcessStart; endpoint: ProxyEndpoint; events: ProxyProcessEvents },
  ) {
    this.name = name;
    this.#process = process;
    this.#start = start;
    this.#endpoint = endpoint;
    this.#events = events;
  }

  get isHeldUp(): boolean {
    return this.#connection?.isPaused ?? false;
  }

  /** Connects to the proxy in place of a shim. @throws HuskError */
  connect(limits: CommandOptions): Promise<void> {
    const use = (connection: ProxyConnection) => this.#use(connection, limits);
    return this.#endpoint.connectAndBegin(use, limits, this.#frames);
  }

  async start(command: number, payload: object, options: CommandOptions): Promise<Reply> {
    const reply = await this.#start.send(command, payload, options);
    this.#start.close();
    if (this.#isLost) throw new HuskError("ERR_AGENT_DISCONNECTED", "the process's connection has ended");
    return reply;
  }

  writeStdin(data: Uint8Array, done: () => void): void {
    let at = 0;
    for (; data.length - at > MAX_STREAM_BYTES; at += MAX_STREAM_BYTES) {
      this.#send(data.subarray(at, at + MAX_STREAM_BYTES));
    }
    this.#send(data.subarray(at), done);
  }

  closeStdin(): void {
    this.#send();
  }

  resumeOutput(): void {
    this.#connection?.resume();
  }

  /** The proxy is told: nobody else is going to ask for this process. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#start.close();
    this.#flush();
    this.#connection?.send({ type: FrameType.COMMAND, opcode: ProxyCommand.DISCONNECT_SHIM });
    this.#connection?.end();
    if (!this.#connection) this.#events.onGone(this);
  }

  readonly #frames: ProcessEvents = {
    onStream: (opcode, data) => this.#takeOutput(opcode, data),
    onExited: (exitCode) => this.#takeExit(exitCode),
  };

  async #use(connection: ProxyConnection, limits: CommandOptions): Promise<void> {
    if (this.#released) throw new HuskError("ERR_AGENT_DISCONNECTED", "the process has been let go");
    this.#connection = connection;
    try {
      const shim = { token: this.#start.token };
      checkProxyReply(
        ProxyCommand.CONNECT_SHIM,
        await connection.request(ProxyCommand.CONNECT_SHIM, shim, limits),
      );
    } catch (error) {
      this.#connection = undefined;
      if (this.#released) this.#events.onGone(this);
      throw error;
    }
    this.#endurance.noteMade();
    void connection.ended.then((error) => this.#takeEnd(error));
    this.#flush();
  }

  #takeEnd(error: HuskError | undefined): void {
    this.#connection = undefined;
    const isWorthIt = this.#endpoint.canReconnect && this.#endurance.noteEnd();
    if (this.#released) this.#events.onGone(this);
    else if (error || !isWorthIt) this.#lose(error);
    else void this.#reconnect();
  }

  /** The process goes on in the guest, and a proxy that has come back knows it by its token. */
  async #reconnect(): Promise<void> {
    try {
      await this.connect(this.#endpoint.limits);
    } catch (error) {
      this.#lose(tellingError(error));
    }
  }

  #lose(error: HuskError | undefined): void {
    if (this.#released) return;
    this.#isLost = true;
    this.#events.onStreamsLost(this.name, error);
  }

  #send(data?: Uint8Array, done: () => void = () => {}): void {
    if (this.#connection) this.#connection.send(STDIN, data, done);
    else if (this.#released) done();
    else this.#waiting.push(() => this.#send(data, done));
  }

  #flush(): void {
    for (const send of this.#waiting.splice(0)) send();
  }

  #takeOutput(opcode: number, data: Uint8Array): void {
    if (opcode !== ProxyStream.STDOUT && opcode !== ProxyStream.STDERR) {
      throw new HuskError("ERR_AGENT_PROTOCOL", "a stream that is not its to send");
    }
    const name = opcode === ProxyStream.STDOUT ? "stdout" : "stderr";
    if (data.length > 0 && !this.#process.pushOutput(name, data)) this.#connection?.pause();
  }

  #takeExit(status: number): void {
    if (this.#released) return;
    this.#process.endOutput();
    this.#events.onEnd(this, status);
  }
}
