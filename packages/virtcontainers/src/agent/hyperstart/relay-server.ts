import { randomInt } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { StreamDecoder } from "@husk/wire/hyperstart";
import type { PodDirectory } from "../../store/pod-directory.ts";
import type { DirectTransport } from "./direct-transport.ts";
import { RelayClient } from "./relay-peer.ts";

/**
 * Offers the agent's channels, which only one process can hold, to others: on two sockets it speaks the same protocol as
 * the agent. It is open as long as its transport.
 */
export class RelayServer {
  readonly #transport: DirectTransport;
  readonly #servers: Server[];
  readonly #paths: string[];
  /** clients whose stream connection has not come yet, by their token */
  readonly #unpaired = new Map<number, RelayClient>();
  readonly #sockets = new Set<Socket>();
  #closed = false;

  constructor(transport: DirectTransport, directory: PodDirectory) {
    this.#transport = transport;
    const control = createServer((socket) => this.#acceptControl(socket));
    const stream = createServer((socket) => this.#acceptStream(socket));
    this.#servers = [control, stream];
    this.#paths = [directory.socket("relayControl"), directory.socket("relayStream")];
    transport.onClose(() => this.close());
  }

  /** Begins to listen. What a dead owner left at the paths is replaced: the lock is ours. */
  async listen(): Promise<void> {
    // The stream socket first: whoever sees the control socket may use both.
    for (const index of [1, 0]) {
      const [server, path] = [this.#servers[index], this.#paths[index]];
      // A transport that has ended meanwhile must not be offered: nobody would close it again.
      if (!server || !path || this.#closed) continue;
      rmSync(path, { force: true });
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(path, resolve);
      });
      server.unref();
    }
  }

  close(): void {
    this.#closed = true;
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #track(socket: Socket): void {
    socket.unref();
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #acceptControl(socket: Socket): void {
    this.#track(socket);
    const token = this.#drawToken();
    const client = new RelayClient(this.#transport, socket, token);
    this.#unpaired.set(token, client);
    socket.once("close", () => this.#unpaired.delete(token));
  }

  #drawToken(): number {
    for (;;) {
      const token = 1 + randomInt(2 ** 47);
      if (!this.#unpaired.has(token)) return token;
    }
  }

  /** The first frame of a stream connection tells whose it is. */
  #acceptStream(socket: Socket): void {
    this.#track(socket);
    const decoder = new StreamDecoder();
    const onData = (chunk: Buffer) => {
      try {
        const [hello, ...early] = decoder.push(chunk);
        if (!hello) return;
        const client = this.#unpaired.get(hello.seq);
        if (!client || hello.data.length > 0) throw new Error("no such client");
        this.#unpaired.delete(hello.seq);
        socket.off("data", onData);
        client.pair(socket, decoder, early);
      } catch {
        socket.destroy();
      }
    };
    socket.on("data", onData);
  }
}
