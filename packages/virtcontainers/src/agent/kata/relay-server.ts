import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { PodDirectory } from "../../store/pod-directory.ts";
import type { YamuxLink } from "./yamux-link.ts";

/**
 * Offers the agent's port, which only one process can hold, to others: each connection to its socket is one more stream
 * of the port, whose bytes are carried both ways and not looked at, as kata-proxy does.
 */
export class RelayServer {
  readonly #link: YamuxLink;
  readonly #path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #closed = false;

  /** `onLeave` is called when a client has gone. */
  constructor(link: YamuxLink, directory: PodDirectory, onLeave: () => void) {
    this.#link = link;
    this.#path = directory.socket("relayKata");
    this.#server = createServer((socket) => this.#accept(socket, onLeave));
    link.onClose(() => this.close());
  }

  /** Begins to listen. What a dead owner left at the path is replaced: the lock is ours. */
  async listen(): Promise<void> {
    // A link that has ended meanwhile must not be offered: nobody would close it again.
    if (this.#closed) return;
    rmSync(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#path, resolve);
    });
    this.#server.unref();
  }

  close(): void {
    this.#closed = true;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket, onLeave: () => void): void {
    this.#sockets.add(socket);
    socket.unref();
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (!this.#closed) onLeave();
    });
    const stream = this.#openStream();
    if (!stream || this.#closed) {
      socket.destroy();
      return;
    }
    stream.on("error", () => stream.destroy());
    stream.once("close", () => socket.destroySoon());
    socket.once("close", () => stream.destroy());
    socket.pipe(stream).pipe(socket);
  }

  /** Of too many clients, the last is sent away. */
  #openStream(): Duplex | undefined {
    try {
      return this.#link.open();
    } catch {
      return undefined;
    }
  }
}
