import { createServer, type Server, type Socket } from "node:net";
import {
  API_VERSION,
  Command,
  ControlDecoder,
  type ControlFrame,
  commandName,
  encodeControl,
  encodeNext,
  encodeProcessAsyncEvent,
  encodeStream,
  encodeVersion,
  type Process,
  parseExecCommand,
  parseKillContainer,
  parseNewContainer,
  StreamDecoder,
  type StreamFrame,
} from "@husk/wire/hyperstart";
import type { PodDirectory } from "../store/pod-directory.ts";

/** What happens to a process that the fake agent "starts". */
export type Program = (process: FakeProcess) => void;

/** A process of the fake agent. */
export class FakeProcess {
  readonly #peer: FakeHyperstart;
  readonly containerId: string;
  readonly request: Process;
  onStdin: (data: Uint8Array) => void = () => {};

  constructor(peer: FakeHyperstart, containerId: string, request: Process) {
    this.#peer = peer;
    this.containerId = containerId;
    this.request = request;
  }

  out(text: string | Uint8Array): void {
    this.#peer.sendStream(this.request.stdio, typeof text === "string" ? Buffer.from(text) : text);
  }

  err(text: string): void {
    this.#peer.sendStream(this.request.stderr, Buffer.from(text));
  }

  /** Ends it: the end of its output and the event. */
  exit(status: number): void {
    this.#peer.sendStream(this.request.stdio, new Uint8Array(0));
    this.#peer.sendControl(
      Command.PROCESSASYNCEVENT,
      encodeProcessAsyncEvent(this.containerId, this.request.id, status),
    );
  }
}

/** A peer that speaks the agent's side of the protocol on the two sockets of a pod, as QEMU and a guest would. */
export class FakeHyperstart {
  readonly commands: string[] = [];
  readonly processes: FakeProcess[] = [];
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  /** answers to commands that a test wants to answer itself */
  readonly overrides = new Map<number, (frame: ControlFrame) => void>();
  program: Program = () => {};
  /** called when both channels of a new owner are there */
  onConnect: () => void = () => {};
  control: Socket | undefined;
  stream: Socket | undefined;

  /** Listens; says READY to whoever connects first. */
  static async listen(directory: PodDirectory, options: { ready?: boolean } = {}): Promise<FakeHyperstart> {
    const peer = new FakeHyperstart();
    let isReady = options.ready ?? true;
    await peer.#serve(directory.socket("control"), (socket) => {
      peer.control = socket;
      const decoder = new ControlDecoder();
      if (isReady) peer.sendControl(Command.READY);
      isReady = false;
      socket.on("data", (chunk) => {
        for (const frame of decoder.push(chunk)) peer.#answer(frame);
      });
    });
    await peer.#serve(directory.socket("stream"), (socket) => {
      peer.stream = socket;
      peer.onConnect();
      const decoder = new StreamDecoder();
      socket.on("data", (chunk) => {
        for (const frame of decoder.push(chunk)) peer.#input(frame);
      });
    });
    return peer;
  }

  async #serve(path: string, accept: (socket: Socket) => void): Promise<void> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      accept(socket);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
  }

  sendControl(command: number, payload?: Uint8Array | string): void {
    this.control?.write(encodeControl(command, payload));
  }

  sendStream(seq: number, data: Uint8Array): void {
    this.stream?.write(encodeStream(seq, data));
  }

  /** Ends as a VM does. */
  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #answer(frame: ControlFrame): void {
    this.commands.push(commandName(frame.command));
    this.control?.write(encodeNext(8));
    if (frame.payload.length > 0) this.control?.write(encodeNext(frame.payload.length));
    const override = this.overrides.get(frame.command);
    if (override) override(frame);
    else this.#run(frame);
  }

  #run({ command, payload }: ControlFrame): void {
    switch (command) {
      case Command.GETVERSION:
        this.sendControl(Command.ACK, encodeVersion(API_VERSION));
        return;
      case Command.NEWCONTAINER: {
        const { id, process } = parseNewContainer(payload);
        this.#start(id, process);
        return;
      }
      case Command.EXECCMD: {
        const { container, process } = parseExecCommand(payload);
        this.#start(container, process);
        return;
      }
      case Command.KILLCONTAINER: {
        const { container, signal } = parseKillContainer(payload);
        const found = this.processes.find(
          ({ containerId, request }) => containerId === container && request.id === "init",
        );
        this.sendControl(found ? Command.ACK : Command.ERROR, found ? "" : "no such container\0");
        if (found && signal > 0) {
          this.processes.splice(this.processes.indexOf(found), 1);
          found.exit(128 + signal);
        }
        return;
      }
      default:
        this.sendControl(Command.ACK);
    }
  }

  #start(containerId: string, request: Process): void {
    const process = new FakeProcess(this, containerId, request);
    this.processes.push(process);
    this.sendControl(Command.ACK);
    this.program(process);
  }

  #input({ seq, data }: StreamFrame): void {
    const process = this.processes.find(({ request }) => request.stdio === seq);
    if (process) process.onStdin(data);
    else this.sendStream(seq, new Uint8Array(0));
  }
}
