/** The agent's control channel: commands out, one answer each, and what the guest tells by itself. */

import * as sys from "tiny:sys";
import { Connection } from "@husk/tiny";
import {
  Command,
  ControlDecoder,
  type ControlFrame,
  ControlResync,
  commandName,
  decodeNext,
  encodeControl,
  MAX_FILE_BYTES,
  type ProcessAsyncEvent,
  parseProcessAsyncEvent,
  RESYNC_RANDOM_BYTES,
} from "@husk/wire/hyperstart";

/** Longest control message taken from the guest: a file or a table of processes, with its header. */
const MAX_CONTROL_BYTES = MAX_FILE_BYTES + 1024;

/** The agent's answer. */
export interface Reply {
  readonly ok: boolean;
  readonly payload: Uint8Array;
}

/** What a control channel tells. */
export interface ControlEvents {
  /** the agent serves, or has been found again */
  onReady(): void;
  onProcessEvent(event: ProcessAsyncEvent): void;
  /** Nothing comes any more. `fault`: what the guest did wrong */
  onEnd(fault?: string): void;
}

interface Message {
  readonly frame: Uint8Array;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/**
 * See the head of the file. A message is sent when the agent has taken the one before: it says NEXT for the bytes it took,
 * or, as Clear Containers' agent, just answers.
 */
export class ControlChannel {
  readonly #connection: Connection;
  readonly #events: ControlEvents;
  readonly #decoder = new ControlDecoder({ maxFrameBytes: MAX_CONTROL_BYTES });
  readonly #queue: Message[] = [];
  readonly #outstanding: Message[] = [];
  /** while the channel is taken over from another proxy, and not understood yet */
  #resync: ControlResync | undefined;
  #unacknowledged = 0;

  /** `takeOver`: another proxy had it, and may have left it in the middle of a frame */
  constructor(fd: number, events: ControlEvents, takeOver: boolean) {
    this.#events = events;
    this.#connection = new Connection(fd, {
      onBytes: (bytes) => this.#guard(() => this.#take(bytes)),
      onWritable: () => {},
      onEnd: () => this.#end(),
    });
    if (!takeOver) return;
    const random = new Uint8Array(RESYNC_RANDOM_BYTES);
    sys.getrandom(random);
    this.#resync = new ControlResync(random);
    this.#connection.write(this.#resync.questions);
  }

  /** Sends a command; settles with its reply. @throws Error when the channel ends before */
  request(command: number, payload?: Uint8Array | string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (!this.#connection.isOpen) return reject(new Error("the VM has ended"));
      this.#queue.push({ frame: encodeControl(command, payload), resolve, reject });
      this.#sendNext();
    });
  }

  /** Reads now what has come. */
  poll(): void {
    this.#connection.poll();
  }

  /** Ends it from this side; what is not answered fails. */
  close(): void {
    this.#connection.close();
    for (const message of [...this.#outstanding, ...this.#queue])
      message.reject(new Error("the VM has ended"));
    this.#outstanding.length = 0;
    this.#queue.length = 0;
  }

  #sendNext(): void {
    if (this.#resync || this.#unacknowledged > 0) return;
    const message = this.#queue.shift();
    if (!message) return;
    this.#unacknowledged = message.frame.length;
    this.#outstanding.push(message);
    this.#connection.write(message.frame);
  }

  /** Whatever the guest sends can end its own pod at most. */
  #guard(take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#end(`the guest sent a bad message: ${error instanceof Error ? error.message : error}`);
    }
  }

  #take(bytes: Uint8Array): void {
    const rest = this.#resync ? this.#takeResync(this.#resync, bytes) : bytes;
    for (const frame of this.#decoder.push(rest)) this.#takeFrame(frame);
  }

  /** Of what was for another proxy, only the ends of processes are of use. */
  #takeResync(resync: ControlResync, bytes: Uint8Array): Uint8Array {
    const found = resync.push(bytes);
    if (!found) return new Uint8Array(0);
    this.#resync = undefined;
    for (const frame of found.frames) if (frame.command === Command.PROCESSASYNCEVENT) this.#takeFrame(frame);
    this.#events.onReady();
    this.#sendNext();
    return found.rest;
  }

  #takeFrame({ command, payload }: ControlFrame): void {
    switch (command) {
      case Command.NEXT:
        this.#acknowledge(decodeNext(payload));
        return;
      case Command.ACK:
      case Command.ERROR:
        this.#answer({ ok: command === Command.ACK, payload });
        return;
      case Command.READY:
        this.#events.onReady();
        return;
      case Command.PROCESSASYNCEVENT:
        this.#events.onProcessEvent(parseProcessAsyncEvent(payload));
        return;
      default:
        throw new Error(`${commandName(command)} is not a guest's to send`);
    }
  }

  #acknowledge(bytes: number): void {
    this.#unacknowledged -= bytes;
    if (this.#unacknowledged < 0) throw new Error("NEXT for more than was sent");
    this.#sendNext();
  }

  #answer(reply: Reply): void {
    const message = this.#outstanding.shift();
    if (!message) throw new Error("an answer to what nobody had asked");
    message.resolve(reply);
    if (this.#outstanding.length > 0) return;
    // What has been answered has been taken, said or not.
    this.#unacknowledged = 0;
    this.#sendNext();
  }

  #end(fault?: string): void {
    this.close();
    this.#events.onEnd(fault);
  }
}
