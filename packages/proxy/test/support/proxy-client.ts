/** A client of cc-proxy: commands with their responses, and what a shim gets. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  decodeProcessExited,
  encodeAcknowledge,
  encodeProxyFrame,
  FrameType,
  ProxyCommand,
  ProxyDecoder,
  type ProxyFrame,
  ProxyNotification,
  ProxyStream,
  parseConnectShimResponse,
  parseErrorResponse,
  parseIoResponse,
  type StreamPositions,
} from "@husk/wire/cc-proxy";
import { type ProcessAsyncEvent, parseProcessAsyncEvent } from "@husk/wire/hyperstart";

/** An error response. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** See the head of the file. */
export class ProxyClient {
  readonly socket: Socket;
  /** output as it came */
  readonly output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  readonly bytes: StreamPositions = { stdout: 0, stderr: 0 };
  exitCode: number | undefined;
  /** ends of processes, for one who hears of all */
  readonly guestExits: ProcessAsyncEvent[] = [];
  /** an error that nobody had asked for */
  loss: string | undefined;
  /** acknowledges what it gets, from these positions on */
  acknowledges: StreamPositions | undefined;
  closed = false;
  readonly #decoder = new ProxyDecoder("client");
  readonly #waiting: ((frame: ProxyFrame | undefined) => void)[] = [];
  #watchers: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      for (const frame of this.#decoder.push(bytes)) this.#take(frame);
      this.#notify();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      for (const resolve of this.#waiting.splice(0)) resolve(undefined);
      this.#notify();
    });
  }

  static async connect(path: string): Promise<ProxyClient> {
    const socket = connect(path);
    await once(socket, "connect");
    return new ProxyClient(socket);
  }

  /** Sends a command; gives the payload of its response. @throws Refused */
  async command(opcode: number, payload?: object): Promise<Uint8Array> {
    const response = new Promise<ProxyFrame | undefined>((resolve) => this.#waiting.push(resolve));
    this.send(FrameType.COMMAND, opcode, payload && JSON.stringify(payload));
    const frame = await response;
    if (!frame) throw new Error("the proxy has closed the connection");
    if (frame.isError) throw new Refused(parseErrorResponse(frame.payload));
    return frame.payload;
  }

  send(type: FrameType, opcode: number, payload?: Uint8Array | string): void {
    this.socket.write(encodeProxyFrame({ type, opcode }, payload));
  }

  /** Registers the VM, or attaches to it; gives as many tokens. */
  async register(agent: { ctlSerial: string; ioSerial: string }, numIOStreams = 0): Promise<string[]> {
    const { ctlSerial, ioSerial } = agent;
    const request = { containerId: "pod", ctlSerial, ioSerial, numIOStreams };
    return parseIoResponse(await this.command(ProxyCommand.REGISTER_VM, request)).tokens;
  }

  async attach(numIOStreams: number): Promise<string[]> {
    const payload = await this.command(ProxyCommand.ATTACH_VM, { containerId: "pod", numIOStreams });
    return parseIoResponse(payload).tokens;
  }

  async hyper(hyperName: string, data?: object, tokens: string[] = []): Promise<string> {
    const payload = await this.command(ProxyCommand.HYPER, { hyperName, tokens, ...(data ? { data } : {}) });
    return Buffer.from(payload).toString();
  }

  /** Becomes the shim of a token; with positions, one that acknowledges. */
  async connectShim(
    token: string,
    received?: StreamPositions,
    transient?: boolean,
  ): Promise<StreamPositions | undefined> {
    // Set before the answer comes: output may be in the same piece.
    if (received) this.acknowledges = { ...received };
    const payload = await this.command(ProxyCommand.CONNECT_SHIM, { token, received, transient });
    return parseConnectShimResponse(payload);
  }

  signal(signalNumber: number, size: object = {}): Promise<Uint8Array> {
    return this.command(ProxyCommand.SIGNAL, { signalNumber, ...size });
  }

  stdin(data: string): void {
    this.send(FrameType.STREAM, ProxyStream.STDIN, data);
  }

  /** Resolves when something that came has made `isMet` true. */
  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const watcher = () => {
        const isDone = isMet();
        if (!isDone && !this.closed) return;
        this.#watchers = this.#watchers.filter((one) => one !== watcher);
        if (isDone) resolve();
        else reject(new Error("the connection has ended before"));
      };
      this.#watchers.push(watcher);
    });
  }

  text(name: keyof StreamPositions): string {
    return Buffer.concat(this.output[name]).toString("latin1");
  }

  /** Goes without a word. */
  drop(): void {
    this.socket.destroy();
  }

  #take(frame: ProxyFrame): void {
    if (frame.type === FrameType.NOTIFICATION) this.#takeNotification(frame);
    else if (frame.type === FrameType.STREAM)
      this.#takeOutput(frame.opcode === ProxyStream.STDOUT ? "stdout" : "stderr", frame.payload);
    else {
      const resolve = this.#waiting.shift();
      if (resolve) resolve(frame);
      else this.loss = parseErrorResponse(frame.payload);
    }
  }

  #takeNotification({ opcode, payload }: ProxyFrame): void {
    if (opcode === ProxyNotification.PROCESS_EXITED) this.exitCode = decodeProcessExited(payload);
    else this.guestExits.push(parseProcessAsyncEvent(payload));
  }

  #takeOutput(name: keyof StreamPositions, data: Uint8Array): void {
    this.output[name].push(Buffer.from(data));
    this.bytes[name] += data.length;
    if (!this.acknowledges) return;
    this.acknowledges[name] += data.length;
    this.send(FrameType.STREAM, ProxyStream.ACKNOWLEDGE, encodeAcknowledge(this.acknowledges));
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
