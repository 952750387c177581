/** An agent of dialect H that does nothing by itself: both channels, on sockets as a hypervisor gives them. */

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import {
  API_VERSION,
  Command,
  ControlDecoder,
  encodeControl,
  encodeNext,
  encodeProcessAsyncEvent,
  encodeStream,
  encodeVersion,
  StreamDecoder,
} from "@husk/wire/hyperstart";

/** A command that came. */
export interface Received {
  command: number;
  payload: string;
}

/** What is answered: the payload of an ACK, or an Error for an ERROR. */
export type FakeAnswer = string | Uint8Array | Error | undefined;

/** See the head of the file. */
export class FakeAgent {
  readonly ctlSerial: string;
  readonly ioSerial: string;
  readonly received: Received[] = [];
  /** bytes of input by stream; a stream is known when it is here */
  readonly input = new Map<number, string>();
  /** how commands are answered that are not just acknowledged */
  readonly answers = new Map<number, (payload: string) => FakeAnswer | Promise<FakeAnswer>>();
  /** whether each connection is told READY */
  saysReady = true;
  /** what whoever connects to the stream channel finds there */
  pendingOutput = new Uint8Array(0);
  control: Socket | undefined;
  stream: Socket | undefined;
  readonly #servers: Server[] = [];
  #watchers: (() => void)[] = [];

  private constructor(folder: string) {
    this.ctlSerial = join(folder, "hyper.sock");
    this.ioSerial = join(folder, "tty.sock");
    this.answers.set(Command.GETVERSION, () => encodeVersion(API_VERSION));
  }

  /** Begins to listen in a folder. */
  static async listen(folder: string): Promise<FakeAgent> {
    const agent = new FakeAgent(folder);
    await agent.#listen(agent.ctlSerial, (socket) => agent.#takeControl(socket));
    await agent.#listen(agent.ioSerial, (socket) => agent.#takeStream(socket));
    return agent;
  }

  /** Sends output, or without data its end. Resolves when it is written. */
  output(seq: number, data?: Uint8Array | string): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    return new Promise((resolve) => this.stream?.write(encodeStream(seq, bytes), () => resolve()));
  }

  /** Tells the end of a process. */
  exit(container: string, process: string, status: number): void {
    this.control?.write(
      encodeControl(Command.PROCESSASYNCEVENT, encodeProcessAsyncEvent(container, process, status)),
    );
  }

  /** Resolves when something that came has made `isMet` true. */
  until(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve) => {
      const watcher = () => {
        if (!isMet()) return;
        this.#watchers = this.#watchers.filter((one) => one !== watcher);
        resolve();
      };
      this.#watchers.push(watcher);
    });
  }

  /** The commands of a kind that came, as what their JSON holds. */
  requests(command: number): unknown[] {
    return this.received.filter((one) => one.command === command).map(({ payload }) => JSON.parse(payload));
  }

  /** The virtual machine ends. */
  close(): void {
    this.control?.destroy();
    this.stream?.destroy();
    for (const server of this.#servers) server.close();
  }

  async #listen(path: string, take: (socket: Socket) => void): Promise<AddressInfo | string | null> {
    const server = createServer(take);
    this.#servers.push(server);
    server.listen(path);
    await once(server, "listening");
    return server.address();
  }

  #takeControl(socket: Socket): void {
    const decoder = new ControlDecoder();
    this.control = socket;
    let last = Promise.resolve();
    if (this.saysReady) socket.write(encodeControl(Command.READY));
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      socket.write(encodeNext(bytes.length));
      for (const { command, payload } of decoder.push(bytes)) {
        const text = Buffer.from(payload).toString();
        this.received.push({ command, payload: text });
        last = last.then(() => this.#answer(socket, command, text));
      }
      this.#notify();
    });
  }

  async #answer(socket: Socket, command: number, payload: string): Promise<void> {
    const answer = await this.answers.get(command)?.(payload);
    if (answer instanceof Error) socket.write(encodeControl(Command.ERROR, answer.message));
    else socket.write(encodeControl(Command.ACK, answer));
  }

  #takeStream(socket: Socket): void {
    const decoder = new StreamDecoder();
    this.stream = socket;
    socket.write(this.pendingOutput);
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      for (const { seq, data } of decoder.push(bytes)) this.#takeInput(socket, seq, data);
      this.#notify();
    });
  }

  #takeInput(socket: Socket, seq: number, data: Uint8Array): void {
    const before = this.input.get(seq);
    if (before === undefined) socket.write(encodeStream(seq));
    else this.input.set(seq, before + (data.length === 0 ? "<end>" : Buffer.from(data).toString("latin1")));
  }

  #notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
