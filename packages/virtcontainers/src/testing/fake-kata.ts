import { createServer, type Server, type Socket } from "node:net";
import {
  AgentService,
  type CreateContainerRequest,
  type ExecProcessRequest,
  Health,
  HealthCheckResponse_ServingStatus,
} from "@husk/wire/kata";
import {
  decodeMessage,
  encodeMessage,
  findMethod,
  type Method,
  type RequestOf,
  type Service,
} from "@husk/wire/protobuf";
import { StatusCode, TtrpcError, TtrpcServer, type TtrpcServices } from "@husk/wire/ttrpc";
import { SendQueue, type YamuxEvent, YamuxSession, type YamuxStream } from "@husk/wire/yamux";
import type { PodDirectory } from "../store/pod-directory.ts";
import { FakeKataProcess } from "./fake-kata-process.ts";

/** The name of a method of the agent. */
type MethodName = keyof typeof AgentService.methods;
type Answer = (request: never) => unknown;
type Requests = typeof AgentService;

/** One connection of a host: a session of yamux whose streams are connections of ttRPC. */
class FakePort {
  readonly #services: TtrpcServices;
  readonly #servers = new Map<YamuxStream, { server: TtrpcServer; queue: SendQueue }>();
  #socket: Socket | undefined;
  #session: YamuxSession;

  constructor(services: TtrpcServices) {
    this.#services = services;
    this.#session = this.#open();
  }

  /** A host is there. `anew`: the guest has seen that the one before had gone. */
  attach(socket: Socket, anew: boolean): void {
    if (anew) this.#restart();
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#handle(this.#session.feed(chunk)));
    socket.on("drain", () => this.#handle(this.#session.resume()));
  }

  #open(): YamuxSession {
    return new YamuxSession({ role: "server", sink: (frame) => this.#socket?.write(frame) ?? true });
  }

  #restart(): void {
    this.#handle(this.#session.end());
    this.#session = this.#open();
  }

  #handle(events: readonly YamuxEvent[]): void {
    for (const event of events) {
      if (event.kind === "stream") this.#accept(event.stream);
      else if (event.kind === "failed") this.#restart();
      else if ("stream" in event) this.#take(event);
    }
  }

  #accept(stream: YamuxStream): void {
    stream.accept();
    const queue = new SendQueue(stream);
    const server = new TtrpcServer({ services: this.#services, send: (bytes) => void queue.push(bytes) });
    this.#servers.set(stream, { server, queue });
  }

  #take(event: Extract<YamuxEvent, { stream: YamuxStream }>): void {
    const { stream } = event;
    const known = this.#servers.get(stream);
    if (event.kind === "data") {
      try {
        known?.server.feed(event.data);
        stream.consume(event.data.length);
      } catch {
        stream.reset();
      }
    } else if (event.kind === "writable") known?.queue.flush();
    else if (event.kind === "end" || event.kind === "reset") {
      known?.server.end();
      this.#servers.delete(stream);
      if (event.kind === "end") stream.close();
    }
  }
}

/** A Kata agent behind a pod's socket, as QEMU and a guest would be. Its containers are what a test says. */
export class FakeKata {
  /** names of what was asked, in order */
  readonly asked: string[] = [];
  readonly requests: { name: string; request: unknown }[] = [];
  readonly processes: FakeKataProcess[] = [];
  /** answers that a test gives itself */
  readonly overrides = new Map<MethodName, Answer>();
  /** what it says that it is */
  agentVersion = "3.2.0";
  /** called with each process that is started */
  program: (process: FakeKataProcess) => void = () => {};
  /** whether the guest does not see that a host has gone */
  missesHangUps = false;
  readonly services: TtrpcServices;
  readonly #port: FakePort;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor() {
    this.services = new Map([
      [AgentService.name, this.#serve(AgentService)],
      [Health.name, this.#serve(Health)],
    ]);
    this.#port = new FakePort(this.services);
  }

  /** Listens on the socket that QEMU would have for the agent's port. */
  static async listen(directory: PodDirectory): Promise<FakeKata> {
    const fake = new FakeKata();
    const server = createServer((socket) => {
      fake.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      fake.#port.attach(socket, !fake.missesHangUps);
    });
    fake.#server = server;
    await new Promise<void>((resolve) => server.listen(directory.socket("kata"), resolve));
    return fake;
  }

  /** Ends as a VM does. */
  close(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(service: Service): TtrpcServices extends ReadonlyMap<string, infer Methods> ? Methods : never {
    return new Map(
      Object.entries(service.methods).map(([name, { request, response }]: [string, Method]) => [
        name,
        async ({ payload }: { payload: Uint8Array }) => {
          const message = decodeMessage(request, payload);
          this.asked.push(name);
          this.requests.push({ name, request: message });
          return encodeMessage(response, (await this.#answer(name, message as never)) as object);
        },
      ]),
    );
  }

  #answer(name: string, request: never): unknown {
    const known = findMethod(AgentService, name);
    const override = known && this.overrides.get(known);
    if (override) return override(request);
    const own = this.#answers[name as MethodName];
    if (own) return own(request);
    if (name === "Version") return { agentVersion: this.agentVersion };
    return name === "Check" ? { status: HealthCheckResponse_ServingStatus.SERVING } : {};
  }

  readonly #answers: Partial<Record<MethodName, Answer>> = {
    CreateContainer: (request: CreateContainerRequest) => {
      if (this.#find(request)) throw new TtrpcError(StatusCode.ALREADY_EXISTS, "it is there");
      this.processes.push(new FakeKataProcess(request.containerId, request.execId, request.OCI?.Process));
      return {};
    },
    StartContainer: ({ containerId }: RequestOf<Requests, "StartContainer">) => {
      this.program(this.#need({ containerId, execId: containerId }));
      return {};
    },
    ExecProcess: ({ containerId, execId, process }: ExecProcessRequest) => {
      const one = new FakeKataProcess(containerId, execId, process);
      this.processes.push(one);
      this.program(one);
      return {};
    },
    RemoveContainer: ({ containerId }: RequestOf<Requests, "RemoveContainer">) => {
      this.#need({ containerId, execId: containerId });
      for (const one of this.processes.filter((other) => other.containerId === containerId)) {
        one.exit(137);
        this.processes.splice(this.processes.indexOf(one), 1);
      }
      return {};
    },
    SignalProcess: ({ containerId, execId, signal }: RequestOf<Requests, "SignalProcess">) => {
      const one = this.#need({ containerId, execId: execId || containerId });
      if (signal > 0) one.onSignal(signal);
      return {};
    },
    WaitProcess: async (request: RequestOf<Requests, "WaitProcess">) => {
      const one = this.#need(request);
      const status = await one.ended;
      // Those beside a container's first are then forgotten.
      if (one.execId !== one.containerId) this.processes.splice(this.processes.indexOf(one), 1);
      return { status };
    },
    ReadStdout: async (request: RequestOf<Requests, "ReadStdout">) => ({
      data: await this.#need(request).stdout.read(request.len),
    }),
    ReadStderr: async (request: RequestOf<Requests, "ReadStderr">) => ({
      data: await this.#need(request).stderr.read(request.len),
    }),
    WriteStdin: (request: RequestOf<Requests, "WriteStdin">) => {
      this.#need(request).onStdin(request.data.slice());
      return { len: request.data.length };
    },
    CloseStdin: (request: RequestOf<Requests, "CloseStdin">) => {
      this.#need(request).onStdin(new Uint8Array(0));
      return {};
    },
  };

  #find({ containerId, execId }: { containerId: string; execId: string }): FakeKataProcess | undefined {
    return this.processes.find((one) => one.containerId === containerId && one.execId === execId);
  }

  #need(names: { containerId: string; execId: string }): FakeKataProcess {
    const found = this.#find(names);
    if (found) return found;
    throw new TtrpcError(StatusCode.NOT_FOUND, `no process ${names.containerId}/${names.execId}`);
  }
}
