/** A pod without a VM: the agent as a process, its port as a socket, kata-proxy in front of it, and shims. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildProgram } from "@husk/tiny/build";
import type { YamuxStream } from "@husk/wire/yamux";
import { KataConnection } from "./kata-session.ts";
import { endStage, type Stage, setStage } from "./stage.ts";

const DEADLINE_MS = 60_000;

let built: Promise<string> | undefined;

/** The program that is all residents, built once per test file. */
function residentPath(): Promise<string> {
  built ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), "husk-resident-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    const entry = join(import.meta.dirname, "../../../resident/src/main.ts");
    return (await buildProgram({ entry, output: join(folder, "husk-resident") })).output;
  })();
  return built;
}

/** A shim of a process, and what it writes. */
export class ShimProcess {
  readonly child: ChildProcess;
  readonly chunks: Buffer[] = [];
  readonly #exited: Promise<unknown>;
  #stderr = "";

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.on("data", (chunk: Buffer) => this.chunks.push(chunk));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#exited = once(child, "close", { signal: AbortSignal.timeout(DEADLINE_MS) });
    this.#exited.catch(() => {});
  }

  /** Waits for its end. */
  async ended(): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
    await this.#exited;
    return { code: this.child.exitCode, stdout: Buffer.concat(this.chunks), stderr: this.#stderr };
  }

  /** Bytes that it has written. */
  get size(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }
}

/** See the head of the file. */
export class PodOnHost implements AsyncDisposable {
  readonly folder: string;
  readonly #stage: Stage;
  readonly #program: string;
  readonly #port: Server;
  readonly #children: ChildProcess[] = [];
  #log = "";
  #link: Socket | undefined;

  private constructor(folder: string, stage: Stage, program: string, port: Server) {
    this.folder = folder;
    this.#stage = stage;
    this.#program = program;
    this.#port = port;
    stage.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
    stage.control.on("data", (chunk: Buffer) => this.#fromAgent(chunk));
    stage.control.on("error", () => {});
    port.on("connection", (socket) => this.#take(socket));
  }

  static async start(): Promise<PodOnHost> {
    const [stage, program] = await Promise.all([setStage({ door: "kata" }), residentPath()]);
    const folder = mkdtempSync(join(tmpdir(), "husk-pod-"));
    const port = createServer();
    await new Promise<void>((resolve) => port.listen(join(folder, "kata.sock"), resolve));
    const pod = new PodOnHost(folder, stage, program, port);
    writeFileSync(pod.commandFile, JSON.stringify(pod.#command));
    return pod;
  }

  get socket(): string {
    return join(this.folder, "proxy.sock");
  }

  get commandFile(): string {
    return join(this.folder, "proxy.json");
  }

  get #command() {
    const mux = join(this.folder, "kata.sock");
    const argv = [this.#program, "kata-proxy"];
    argv.push("-listen-socket", `unix://${this.socket}`, "-mux-socket", mux, "-sandbox", "pod");
    return {
      argv,
      lock: join(this.folder, "proxy.lock"),
      socket: this.socket,
      log: join(this.folder, "log"),
    };
  }

  /** Starts the first proxy; further ones are the shims' business. Settles when it has the port. */
  async startProxy(): Promise<void> {
    const [path = "", ...args] = this.#command.argv;
    const lock = `exec 3>"$0"; flock -n 3; exec "$@" -lock-fd 3`;
    const child = spawn("/bin/sh", ["-c", lock, this.#command.lock, path, ...args], { stdio: "ignore" });
    this.#children.push(child);
    await once(this.#port, "connection");
  }

  /** Process id of the proxy that lives. */
  get proxyPid(): number {
    return Number(readFileSync(this.#command.lock, "utf8"));
  }

  /** A connection to the agent by way of the proxy, as a host's library has. */
  async connect(): Promise<KataConnection> {
    const socket = connect(this.socket);
    await once(socket, "connect");
    socket.on("error", () => {});
    const connection = new KataConnection(asStream(socket), new Promise<never>(() => {}));
    socket.on("data", (chunk: Buffer) => connection.client.feed(chunk));
    socket.on("close", () => connection.client.end());
    return connection;
  }

  /** Starts a shim. */
  startShim(containerId: string, execId: string, args: readonly string[] = []): ShimProcess {
    const all = ["-agent", `unix://${this.socket}`, "-container", containerId, "-exec-id", execId];
    all.push("-proxy-command", this.commandFile, ...args);
    const child = spawn(this.#program, ["kata-shim", ...all], { stdio: "pipe" });
    this.#children.push(child);
    return new ShimProcess(child);
  }

  /** Waits until another proxy has the port. */
  async nextProxy(): Promise<void> {
    await once(this.#port, "connection", { signal: AbortSignal.timeout(DEADLINE_MS) });
  }

  /** The guest sends something of its own. */
  inject(bytes: Uint8Array): void {
    this.#link?.write(bytes);
  }

  /** The VM goes. */
  cut(): void {
    this.#port.close();
    this.#link?.destroy();
    rmSync(join(this.folder, "kata.sock"), { force: true });
  }

  /** A port gives what comes to who has it; what comes while nobody has, it does not take. */
  #fromAgent(chunk: Buffer): void {
    if (this.#link?.write(chunk) === false) this.#stage.control.pause();
  }

  #take(socket: Socket): void {
    this.#link?.destroy();
    this.#link = socket;
    const { control } = this.#stage;
    control.resume();
    socket.on("drain", () => control.resume());
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#link === socket) this.#link = undefined;
    });
    socket.on("data", (chunk: Buffer) => {
      if (control.write(chunk)) return;
      socket.pause();
      control.once("drain", () => socket.resume());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    for (const child of this.#children) if (child.exitCode === null) child.kill("SIGKILL");
    try {
      process.kill(this.proxyPid, "SIGKILL");
    } catch {
      // There is none any more.
    }
    await endStage(this.#stage, () => this.#log);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A socket in the place of a stream of yamux. */
function asStream(socket: Socket): YamuxStream {
  return {
    id: 1,
    writable: true,
    room: Number.POSITIVE_INFINITY,
    write: (bytes, offset = 0, length = bytes.length - offset) => {
      socket.write(bytes.slice(offset, offset + length));
      return length;
    },
    announce: () => new Uint8Array(),
    consume: () => {},
    accept: () => {},
    close: () => socket.end(),
    reset: () => socket.destroy(),
  };
}
