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
import { connectProxy } from "./connect-proxy.ts";
import type { ProcessStart } from "./process-start.ts";
import { checkProxyReply } from "./proxy-commands.ts";
import type { ProxyConnection } from "./proxy-connection.ts";

const STDIN = { type: FrameType.STREAM, opcode: ProxyStream.STDIN };

/** A process that this process carries over a connection of its own to the proxy, as a shim does. */
export class ProxyProcess implements PreparedProcess, ProcessStreams {
  readonly seqs = { stdio: 0, stderr: 0 };
  readonly streams = this;
  readonly #name: ProcessName;
  readonly #process: GuestProcess;
  readonly #start: ProcessStart;
  readonly #events: Pick<TransportEvents, "onExit" | "onStreamsLost">;
  #connection: ProxyConnection | undefined;
  #released = false;

  constructor(
    name: ProcessName,
    process: GuestProcess,
    start: ProcessStart,
    events: Pick<TransportEvents, "onExit" | "onStreamsLost">,
  ) {
    this.#name = name;
    this.#process = process;
    this.#start = start;
    this.#events = events;
  }

  get isHeldUp(): boolean {
    return this.#connection?.isPaused ?? false;
  }

  /** Connects to the proxy in place of a shim. `onEnd` is called when that connection has ended. */
  async connect(path: string, limits: CommandOptions, onEnd: () => void): Promise<void> {
    const connection = await connectProxy(path, limits.signal, {
      onStream: (opcode, data) => this.#takeOutput(opcode, data),
      onExited: (exitCode) => this.#takeExit(exitCode),
      onClosed: (error) => {
        if (!this.#released) this.#events.onStreamsLost(this.#name, error);
        onEnd();
      },
    });
    this.#connection = connection;
    if (this.#released) connection.close();
    const reply = await connection.request(ProxyCommand.CONNECT_SHIM, { token: this.#start.token }, limits);
    checkProxyReply(ProxyCommand.CONNECT_SHIM, reply);
  }

  async start(command: number, payload: object, options: CommandOptions): Promise<Reply> {
    const reply = await this.#start.send(command, payload, options);
    this.#start.close();
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
    this.#connection?.send({ type: FrameType.COMMAND, opcode: ProxyCommand.DISCONNECT_SHIM });
    this.#connection?.end();
  }

  #send(data?: Uint8Array, done: () => void = () => {}): void {
    if (this.#connection) this.#connection.send(STDIN, data, done);
    else done();
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
    const { containerId: container, processId: process } = this.#name;
    this.#process.endOutput();
    this.#events.onExit({ container, process, event: "finished", status });
  }
}
