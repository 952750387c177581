/** The proxy's side of the agent's port: a session of yamux, each of whose streams is a client's. */

import * as sys from "tiny:sys";
import { Connection, connectUnix, startTimer, stopTimer } from "@husk/tiny";
import { TakeOver } from "@husk/wire/kata";
import { type YamuxEvent, YamuxSession, type YamuxStream } from "@husk/wire/yamux";
import { Client } from "./client.ts";

/** What the guest may send of one stream before it is read, in bytes: a few answers to a read of output. */
const WINDOW_BYTES = 1024 * 1024;
/** Most clients at a time; an agent of ours takes as many connections. */
const MAX_CLIENTS = 128;
/** Milliseconds until the first repetition of the question whether the agent is there. */
const FIRST_REPETITION_MS = 10;

/** What a link tells. */
export interface VmEvents {
  /** The agent is there: clients may come. */
  onReady(): void;
  /** Nothing comes any more. `fault`: what went wrong, when the VM did not just go; `isGuests`: the guest has broken the rules */
  onEnd(fault?: string, isGuests?: boolean): void;
  /** A client has gone. */
  onClientGone(): void;
}

/** See the head of the file. */
export class VmLink {
  readonly #connection: Connection;
  readonly #events: VmEvents;
  readonly #session: YamuxSession;
  readonly #clients = new Map<YamuxStream, Client>();
  /** clients that came before the agent answered */
  #early: number[] = [];
  /** until the agent has answered */
  #takeOver: TakeOver | undefined;
  #repetition: number | undefined;
  /** the agent takes no more clients */
  #isLeaving = false;
  #isEnded = false;

  /** @throws SystemError when nobody listens at the path */
  constructor(path: string, events: VmEvents) {
    this.#events = events;
    this.#connection = new Connection(connectUnix(path), {
      onBytes: (bytes) => this.#takeBytes(bytes),
      onWritable: () => this.#handle(this.#session.resume()),
      onEnd: (error) => this.#end(error),
    });
    this.#session = new YamuxSession({
      role: "client",
      windowBytes: WINDOW_BYTES,
      maxStreams: MAX_CLIENTS,
      sink: (frame) => {
        this.#connection.write(frame);
        return !this.#connection.blocked;
      },
    });
    this.#beginTakeOver();
  }

  /** clients that are connected */
  get clientCount(): number {
    return this.#clients.size + this.#early.length;
  }

  /** Serves a client that has connected, as soon as the agent is there. False when it is sent away. */
  serve(fd: number): boolean {
    if (this.#isEnded || this.#isLeaving || this.clientCount >= MAX_CLIENTS) {
      sys.close(fd);
      return false;
    }
    if (this.#takeOver) this.#early.push(fd);
    else this.#connect(fd);
    return true;
  }

  #connect(fd: number): void {
    const stream = this.#session.openStream();
    const gone = () => {
      this.#clients.delete(stream);
      this.#events.onClientGone();
    };
    this.#clients.set(stream, new Client(fd, stream, gone));
  }

  /** Lets go of the VM and, at once, of all clients. */
  close(): void {
    this.#isEnded = true;
    stopTimer(this.#repetition);
    this.#connection.close();
    this.#dropEarly();
    for (const client of [...this.#clients.values()]) client.close();
  }

  #dropEarly(): void {
    for (const fd of this.#early.splice(0)) sys.close(fd);
  }

  #beginTakeOver(): void {
    const number = new Uint8Array(TakeOver.NUMBER_BYTES);
    sys.getrandom(number);
    this.#takeOver = new TakeOver(number);
    this.#connection.write(this.#takeOver.greeting);
    this.#ask(FIRST_REPETITION_MS);
  }

  #ask(againMs: number): void {
    if (!this.#takeOver) return;
    this.#connection.write(this.#takeOver.question);
    this.#repetition = startTimer(againMs, () => this.#ask(againMs * 2));
  }

  #takeBytes(bytes: Uint8Array): void {
    if (!this.#takeOver) {
      this.#handle(this.#session.feed(bytes));
      return;
    }
    const rest = this.#takeOver.push(bytes);
    if (!rest) return;
    this.#takeOver = undefined;
    stopTimer(this.#repetition);
    this.#handle(this.#session.feed(rest));
    if (this.#isEnded) return;
    this.#events.onReady();
    for (const fd of this.#early.splice(0)) this.#connect(fd);
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
        this.#clients.get(event.stream)?.takeData(event.data);
        return;
      case "writable":
        this.#clients.get(event.stream)?.takeRoom();
        return;
      case "end":
        this.#clients.get(event.stream)?.takeEnd();
        return;
      case "reset":
        this.#clients.get(event.stream)?.takeReset();
        return;
      case "goAway":
        this.#isLeaving = true;
        return;
      case "failed":
        this.#connection.close();
        this.#end(`the agent's session has ended: ${event.error.message}`, true);
    }
  }

  #end(fault?: string, isGuests = false): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    stopTimer(this.#repetition);
    this.#dropEarly();
    this.#handle(this.#session.end());
    this.#events.onEnd(this.#takeOver ? "the VM has gone before its agent answered" : fault, isGuests);
  }
}
