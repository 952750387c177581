/** kata-proxy as a process of this host, and what it finds at the other end: a VM whose agent echoes every stream. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buildProgram } from "@husk/tiny/build";
import { SendQueue, type YamuxEvent, YamuxSession, type YamuxStream } from "@husk/wire/yamux";

/** Milliseconds that whatever is waited for may take. */
const DEADLINE_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), "husk-kata-proxy-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const entry = join(import.meta.dirname, "../programs/kata-proxy.ts");
const { output: program } = await buildProgram({ entry, output: join(folder, "kata-proxy") });

let count = 0;
/** A path that is used once. */
export const freshPath = (name: string) => join(folder, `${++count}-${name}`);

/** Where a VM's port can be connected to. */
export class Port implements AsyncDisposable {
  readonly path: string;
  readonly #server: Server;
  readonly #connected: Promise<Socket>;

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
    this.#connected = once(server, "connection").then(([socket]) => socket as Socket);
  }

  static async open(): Promise<Port> {
    const path = freshPath("kata.sock");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return new Port(path, server);
  }

  /** Who has connected to it. */
  connected(): Promise<Socket> {
    return this.#connected;
  }

  /** An agent that echoes, for who has connected to it. */
  async echo(): Promise<EchoingAgent> {
    return new EchoingAgent(await this.#connected);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    (await Promise.race([this.#connected, undefined]))?.destroy();
  }
}

/** An agent that echoes what comes on each stream, and its end; or, when told, does not read. */
export class EchoingAgent {
  readonly socket: Socket;
  readonly streams: YamuxStream[] = [];
  /** whether what comes is used */
  isReading = true;
  readonly #session: YamuxSession;
  readonly #queues = new Map<YamuxStream, SendQueue>();

  constructor(socket: Socket) {
    this.socket = socket;
    this.#session = new YamuxSession({ role: "server", sink: (frame) => socket.write(frame) });
    // The host that takes the port over ends the session before: there is none here.
    const head = 48;
    let skipped = 0;
    socket.on("data", (chunk: Buffer) => {
      const skip = Math.min(head - skipped, chunk.length);
      skipped += skip;
      this.#handle(this.#session.feed(chunk.subarray(skip)));
    });
    socket.on("drain", () => this.#handle(this.#session.resume()));
    socket.on("error", () => {});
  }

  /** Sends something on a stream, as far as it goes. */
  send(stream: YamuxStream, bytes: Uint8Array): void {
    this.#queues.get(stream)?.push(bytes);
  }

  #handle(events: readonly YamuxEvent[]): void {
    for (const event of events) {
      if (event.kind === "stream") {
        this.#queues.set(event.stream, new SendQueue(event.stream));
        this.streams.push(event.stream);
        event.stream.accept();
      } else if (event.kind === "data" && this.isReading) {
        this.#queues.get(event.stream)?.push(event.data.slice());
        event.stream.consume(event.data.length);
      } else if (event.kind === "writable") this.#queues.get(event.stream)?.flush();
      else if (event.kind === "end") this.#queues.get(event.stream)?.end();
    }
  }
}

/** A running kata-proxy. */
export class KataProxy implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly path: string;
  readonly #exited: Promise<unknown>;
  #said = "";

  constructor(muxPath: string, more: readonly string[] = [], inherited: readonly number[] = []) {
    this.path = freshPath("proxy.sock");
    const args = [
      "-listen-socket",
      `unix://${this.path}`,
      "-mux-socket",
      muxPath,
      "-sandbox",
      "pod",
      ...more,
    ];
    this.child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe", ...inherited] });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
    });
    this.#exited = once(this.child, "close", { signal: AbortSignal.timeout(DEADLINE_MS) });
    this.#exited.catch(() => {});
  }

  /** What it has logged. */
  get log(): { level: string; msg: string; source?: string; sandbox?: string }[] {
    const lines = this.#said.split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line) as { level: string; msg: string });
  }

  /** Waits until it has logged a message. */
  async said(msg: string): Promise<void> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    while (!this.#said.includes(JSON.stringify(msg)))
      await once(this.child.stderr as Readable, "data", { signal });
  }

  /** memory that it holds, in KiB */
  get residentKib(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]);
  }

  /** A connection to it. */
  async connect(): Promise<Socket> {
    const socket = connect({ path: this.path, allowHalfOpen: true });
    await once(socket, "connect");
    return socket;
  }

  /** Waits for its end; gives its exit status. */
  async ended(): Promise<number | null> {
    await this.#exited;
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.#exited;
  }
}

/** Reads so many bytes; all until the end, unless told. */
export async function readBytes(socket: Socket, length = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size >= length) break;
  }
  return Buffer.concat(chunks);
}

/** Waits until the other side has closed a socket on which nothing comes. */
export async function hasClosed(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  if ((await readBytes(socket)).length > 0) throw new Error("something came");
}
