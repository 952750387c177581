import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type YamuxEvent, YamuxSession, type YamuxStream } from "@husk/wire/yamux";
import { YamuxDuplex } from "./yamux-duplex.ts";

/** What the guest may send of one stream before it is read, in bytes: a few answers to a read of output. */
const WINDOW_BYTES = 1024 * 1024;

/** The agent's serial port as many streams: our side of a yamux session over a socket. */
export class YamuxLink {
  readonly #socket: Socket;
  readonly #session: YamuxSession;
  readonly #streams = new Map<YamuxStream, YamuxDuplex>();
  readonly #closers: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#session = new YamuxSession({
      role: "client",
      sink: (frame) => socket.write(frame),
      windowBytes: WINDOW_BYTES,
    });
    socket.unref();
    socket.on("data", (chunk: Buffer) => this.#handle(this.#session.feed(chunk)));
    socket.on("drain", () => this.#handle(this.#session.resume()));
    socket.on("error", () => socket.destroy());
    if (socket.closed) queueMicrotask(() => this.#end());
    else socket.once("close", () => this.#end());
    socket.resume();
  }

  get closed(): boolean {
    return this.#session.over || this.#socket.destroyed;
  }

  /** Calls `closer` when the link ends. */
  onClose(closer: () => void): void {
    this.#closers.push(closer);
  }

  /** Opens a stream. @throws YamuxError when the link has ended, or has too many */
  open(): Duplex {
    const stream = this.#session.openStream();
    const duplex = new YamuxDuplex(stream);
    this.#streams.set(stream, duplex);
    duplex.once("close", () => this.#streams.delete(stream));
    return duplex;
  }

  /** Ends the link, and all its streams with it. */
  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #handle(events: readonly YamuxEvent[]): void {
    for (const event of events) this.#take(event);
  }

  #take(event: YamuxEvent): void {
    switch (event.kind) {
      case "stream":
        // An agent opens none.
        event.stream.reset();
        return;
      case "data":
        this.#streams.get(event.stream)?.takeData(event.data);
        return;
      case "writable":
        this.#streams.get(event.stream)?.takeRoom();
        return;
      case "end":
        this.#streams.get(event.stream)?.takeEnd();
        return;
      case "reset":
        this.#streams.get(event.stream)?.takeReset();
        return;
      case "failed":
        this.#socket.destroy();
    }
  }

  #end(): void {
    this.#handle(this.#session.end());
    for (const closer of this.#closers.splice(0)) closer();
  }
}
