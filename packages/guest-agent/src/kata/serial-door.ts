/**
 * The door on the virtio-serial port `agent.channel.0`: yamux, each of whose streams is a ttrpc connection. Reference:
 * virtcontainers.md 8.3.
 */

import { errorText } from "@husk/tiny";
import { startsWithNewHost } from "@husk/wire/kata";
import { TtrpcProtocolError, TtrpcServer } from "@husk/wire/ttrpc";
import { SendQueue, type YamuxEvent, YamuxSession, type YamuxStream } from "@husk/wire/yamux";
import { Channel } from "../channel.ts";
import { FrameMover } from "../core/frame-mover.ts";
import { log } from "../log.ts";
import { concatBytes } from "./concat-bytes.ts";
import { Intake } from "./intake.ts";
import { MAX_CONNECTIONS, MAX_UNSENT_BYTES } from "./limits.ts";
import { MOVED_BYTES } from "./moving-pipe.ts";
import type { KataServer, KataServices, PipeTail } from "./pipe-tail.ts";
import { dropUnreadOutput } from "./pulled-output.ts";

/** A ttrpc connection on a stream of yamux. What it does not take stays with the host, by the stream's window. */
class StreamConnection {
  readonly #stream: YamuxStream;
  readonly #queue: SendQueue;
  readonly #mover: FrameMover;
  readonly #server: KataServer;
  readonly #intake: Intake;

  constructor(stream: YamuxStream, services: KataServices, mover: FrameMover) {
    this.#stream = stream;
    this.#mover = mover;
    this.#queue = new SendQueue(stream, { highWaterBytes: MAX_UNSENT_BYTES });
    this.#server = new TtrpcServer({ services, send: (message, tail) => this.#send(message, tail) });
    this.#intake = new Intake(this.#server, () => this.#queue.queuedBytes >= MAX_UNSENT_BYTES);
  }

  /** What comes from a pipe goes on to the port as it is, when nothing is in its way. */
  #send(message: Uint8Array, tail: PipeTail | undefined): void {
    const length = message.length + (tail?.length ?? 0);
    if (!tail || !this.#stream.writable) {
      tail?.giveBack();
      this.#queue.push(message);
    } else if (this.#queue.queuedBytes > 0 || this.#mover.blocked || this.#stream.room < length) {
      this.#queue.push(message);
      this.#queue.push(tail.read());
    } else {
      this.#mover.move(concatBytes(this.#stream.announce(length), message), tail.fd, tail.length);
      tail.moved();
    }
  }

  feed(data: Uint8Array): void {
    this.#use(() => this.#intake.push(data));
  }

  flush(): void {
    this.#queue.flush();
    this.#use(() => this.#intake.resume());
  }

  /** The host sends no more: one that closes its side does not read any more, either. */
  end(): void {
    this.#server.end();
    this.#stream.close();
  }

  /** The stream is gone. */
  lose(): void {
    this.#server.end();
  }

  #use(feed: () => number): void {
    try {
      this.#stream.consume(feed());
    } catch (error) {
      if (!(error instanceof TtrpcProtocolError)) throw error;
      log("error", `a connection ends: ${errorText(error)}`);
      this.#server.end();
      this.#stream.reset();
    }
  }
}

/** Serves on a port. Each host that connects finds a new session. */
export class SerialDoor {
  readonly #channel: Channel;
  readonly #mover: FrameMover;
  readonly #services: KataServices;
  readonly #connections = new Map<YamuxStream, StreamConnection>();
  #session: YamuxSession;

  constructor(fd: number, services: KataServices, onHostGone: () => void) {
    this.#services = services;
    this.#channel = new Channel(fd, {
      onBytes: (bytes) => {
        this.#handle(this.#session.feed(bytes));
        return true;
      },
      onWritable: () => {
        if (this.#mover.resume()) this.#handle(this.#session.resume());
      },
      isNewHost: startsWithNewHost,
      onNewHost: () => this.#meetNext(),
      onHostGone: () => {
        this.#meetNext();
        onHostGone();
      },
    });
    this.#mover = new FrameMover(this.#channel.output, MOVED_BYTES);
    this.#session = this.#open();
  }

  #open(): YamuxSession {
    return new YamuxSession({
      role: "server",
      maxStreams: MAX_CONNECTIONS,
      sink: (frame) => {
        this.#mover.write(frame);
        return !this.#mover.blocked;
      },
    });
  }

  /** The next host begins with a frame, and so does what it is sent. */
  #meetNext(): void {
    this.#channel.output.discard();
    this.#restart();
  }

  #restart(): void {
    this.#handle(this.#session.end());
    this.#connections.clear();
    dropUnreadOutput();
    this.#session = this.#open();
  }

  #handle(events: YamuxEvent[]): void {
    for (const event of events) this.#take(event);
  }

  #take(event: YamuxEvent): void {
    switch (event.kind) {
      case "stream":
        event.stream.accept();
        this.#connections.set(event.stream, new StreamConnection(event.stream, this.#services, this.#mover));
        return;
      case "data":
        this.#connections.get(event.stream)?.feed(event.data);
        return;
      case "writable":
        this.#connections.get(event.stream)?.flush();
        return;
      case "end":
        this.#connections.get(event.stream)?.end();
        this.#connections.delete(event.stream);
        return;
      case "reset":
        this.#connections.get(event.stream)?.lose();
        this.#connections.delete(event.stream);
        return;
      case "failed":
        // Where the next frame begins is unknown from here on; a host that connects anew begins anew.
        // A new host ends the session that it finds, whoever had it.
        log(
          event.error.code === "ERR_YAMUX_GO_AWAY" ? "info" : "error",
          `the host's session ends: ${errorText(event.error)}`,
        );
        this.#restart();
    }
  }
}
