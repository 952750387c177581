import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import {
  encodeErrorResponse,
  encodeIoResponse,
  encodeProxyFrame,
  encodeToken,
  FrameType,
  type HyperRequest,
  ProxyCommand,
  ProxyDecoder,
  type ProxyFrame,
  ProxyNotification,
  ProxyStream,
  parseAttachVm,
  parseConnectShim,
  parseHyperRequest,
  proxyCommandName,
  TOKEN_BYTES,
} from "@husk/wire/cc-proxy";
import { API_VERSION, encodeProcessAsyncEvent, encodeVersion } from "@husk/wire/hyperstart";

/** A process of the fake proxy's agent, which a shim carries that has the token. */
export class FakeProxiedProcess {
  readonly token: string;
  readonly request: HyperRequest;
  readonly shim: Socket;
  onStdin: (data: Uint8Array) => void = () => {};

  constructor(token: string, request: HyperRequest, shim: Socket) {
    this.token = token;
    this.request = request;
    this.shim = shim;
  }

  /** @returns whether the shim takes more */
  out(data: string | Uint8Array, opcode: number = ProxyStream.STDOUT): boolean {
    return this.shim.write(encodeProxyFrame({ type: FrameType.STREAM, opcode }, data));
  }

  err(data: string): void {
    this.out(data, ProxyStream.STDERR);
  }

  exit(code: number): void {
    const kind = { type: FrameType.NOTIFICATION, opcode: ProxyNotification.PROCESS_EXITED };
    this.shim.write(encodeProxyFrame(kind, Uint8Array.of(code)));
  }
}

/** A peer that speaks cc-proxy's side of its protocol, with an agent behind it that agrees to everything. */
export class FakeCcProxy {
  /** commands as they came; those for the agent by its names */
  readonly commands: string[] = [];
  readonly processes: FakeProxiedProcess[] = [];
  /** answers to commands that a test wants to answer itself, by those names */
  readonly overrides = new Map<string, (socket: Socket, frame: ProxyFrame) => void>();
  readonly sockets = new Set<Socket>();
  program: (process: FakeProxiedProcess) => void = () => {};
  /** called when a shim comes whose process another proxy has begun */
  onReturn: (process: FakeProxiedProcess) => void = () => {};
  closed = false;
  /** the connection that heard last of all ends */
  listener: Socket | undefined;
  readonly #shims = new Map<string, Socket>();
  #server: Server | undefined;
  readonly #drawn = new Set<string>();

  static async listen(path: string): Promise<FakeCcProxy> {
    const proxy = new FakeCcProxy();
    await proxy.listen(path);
    return proxy;
  }

  /** Ends as a killed proxy does. */
  close(): void {
    this.closed = true;
    this.#server?.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** Begins to listen. */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(path, resolve));
  }

  respond(socket: Socket, opcode: number, payload: string | Uint8Array = ""): void {
    socket.write(encodeProxyFrame({ type: FrameType.RESPONSE, opcode }, payload));
  }

  /** Tells a connection of the end of a process. */
  tellExit(socket: Socket, container: string, process: string, status: number): void {
    const kind = { type: FrameType.NOTIFICATION, opcode: ProxyNotification.GUEST_EXIT };
    socket.write(encodeProxyFrame(kind, encodeProcessAsyncEvent(container, process, status)));
  }

  refuse(socket: Socket, opcode: number, message: string): void {
    const kind = { type: FrameType.RESPONSE, opcode, isError: true };
    socket.write(encodeProxyFrame(kind, encodeErrorResponse(message)));
  }

  #accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.sockets.delete(socket));
    const decoder = new ProxyDecoder("proxy");
    socket.on("data", (chunk: Buffer) => {
      for (const frame of decoder.push(chunk)) this.#take(socket, frame);
    });
  }

  #take(socket: Socket, frame: ProxyFrame): void {
    if (frame.type === FrameType.STREAM) {
      this.processes.find(({ shim }) => shim === socket)?.onStdin(frame.payload);
      return;
    }
    const isHyper = frame.opcode === ProxyCommand.HYPER;
    const name = isHyper ? parseHyperRequest(frame.payload).hyperName : proxyCommandName(frame.opcode);
    this.commands.push(name);
    const override = this.overrides.get(name);
    if (override) override(socket, frame);
    else this.#answer(socket, frame);
  }

  #answer(socket: Socket, { opcode, payload }: ProxyFrame): void {
    switch (opcode) {
      case ProxyCommand.REGISTER_VM:
      case ProxyCommand.ATTACH_VM: {
        const { numIOStreams, exits } = parseAttachVm(payload);
        if (exits) this.listener = socket;
        const tokens = Array.from({ length: numIOStreams }, () => this.#drawToken());
        this.respond(socket, opcode, encodeIoResponse({ url: "unix:///proxy.sock", tokens }));
        return;
      }
      case ProxyCommand.CONNECT_SHIM:
        this.#connectShim(socket, parseConnectShim(payload).token);
        return;
      case ProxyCommand.DISCONNECT_SHIM:
        socket.destroy();
        return;
      case ProxyCommand.HYPER:
        this.#run(socket, parseHyperRequest(payload));
        return;
      default:
        this.respond(socket, opcode);
    }
  }

  #connectShim(socket: Socket, token: string): void {
    this.respond(socket, ProxyCommand.CONNECT_SHIM);
    if (this.#drawn.has(token)) {
      this.#shims.set(token, socket);
      return;
    }
    const process = new FakeProxiedProcess(token, { hyperName: "", tokens: [token] }, socket);
    this.processes.push(process);
    this.onReturn(process);
  }

  #run(socket: Socket, request: HyperRequest): void {
    const isVersion = request.hyperName === "getversion";
    this.respond(socket, ProxyCommand.HYPER, isVersion ? encodeVersion(API_VERSION) : "");
    const [token] = request.tokens;
    const shim = this.#shims.get(token ?? "");
    if (token === undefined || !shim) return;
    const process = new FakeProxiedProcess(token, request, shim);
    this.processes.push(process);
    this.program(process);
  }

  #drawToken(): string {
    const token = encodeToken(randomBytes(TOKEN_BYTES));
    this.#drawn.add(token);
    return token;
  }
}
