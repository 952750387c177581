/** The door on a listening socket, vsock or unix: each connection is one of ttrpc. Reference: virtcontainers.md 8.3. */

import * as sys from "tiny:sys";
import { accept, EPOLLIN, Errno, errorText, hasErrno, unwatch, watch } from "@husk/tiny";
import { TtrpcProtocolError, TtrpcServer } from "@husk/wire/ttrpc";
import { Channel } from "../channel.ts";
import { log } from "../log.ts";
import { Intake } from "./intake.ts";
import { MAX_CONNECTIONS, MAX_UNSENT_BYTES } from "./limits.ts";
import type { KataServer, KataServices, PipeTail } from "./pipe-tail.ts";

/** Connections that live, through all doors of this kind. */
let connections = 0;

/** A ttrpc connection on a socket of its own. */
class SocketConnection {
  readonly #fd: number;
  readonly #server: KataServer;
  readonly #channel: Channel;
  readonly #intake: Intake;
  #open = true;

  constructor(fd: number, services: KataServices) {
    this.#fd = fd;
    connections += 1;
    this.#channel = new Channel(fd, {
      onBytes: (bytes) => this.#use(() => this.#intake.push(bytes)),
      onWritable: () => {
        if (this.#use(() => this.#intake.resume())) this.#channel.resume();
      },
      onHostGone: () => this.#close(),
    });
    this.#server = new TtrpcServer({ services, send: (message, tail) => this.#send(message, tail) });
    this.#intake = new Intake(this.#server, () => this.#channel.output.keptBytes >= MAX_UNSENT_BYTES);
  }

  #send(message: Uint8Array, tail: PipeTail | undefined): void {
    if (!this.#open) {
      tail?.giveBack();
      return;
    }
    try {
      this.#channel.output.write(message);
      if (tail) this.#channel.output.write(tail.read());
    } catch (error) {
      if (!hasErrno(error, Errno.EPIPE, Errno.ECONNRESET)) throw error;
      this.#close();
    }
  }

  /** False while what was read waits: then no more is read. */
  #use(feed: () => number): boolean {
    try {
      feed();
    } catch (error) {
      if (!(error instanceof TtrpcProtocolError)) throw error;
      log("error", `a connection ends: ${errorText(error)}`);
      this.#close();
    }
    return this.#open && this.#intake.heldBytes === 0;
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    connections -= 1;
    this.#server.end();
    unwatch(this.#fd);
    sys.close(this.#fd);
  }
}

/**
 * Serves whoever connects to a listening socket, which is non-blocking.
 *
 * @param next the next connection; undefined when nobody is waiting
 */
export function openSocketDoor(
  listener: number,
  services: KataServices,
  next: (listener: number) => number | undefined = accept,
): void {
  watch(listener, EPOLLIN, () => {
    for (let fd = next(listener); fd !== undefined; fd = next(listener)) {
      if (connections < MAX_CONNECTIONS) new SocketConnection(fd, services);
      else sys.close(fd);
    }
  });
}
