/** The hyperstart front door: commands in, one answer each, in order. Reference: hyperstart.md 1 and 2. */
import { errorText } from "@husk/tiny";
import {
  Command,
  ControlDecoder,
  type ControlFrame,
  encodeControl,
  encodeNext,
  FrameError,
  hostCommandName,
} from "@husk/wire/hyperstart";
import { Channel } from "../channel.ts";
import { log } from "../log.ts";

/** Commands that may wait before the host is made to wait. */
const QUEUE_LENGTH = 64;

/** Does a command; what it gives is the payload of the ACK. What it throws is the text of the ERROR. */
export type CommandHandler = (payload: Uint8Array) => Promise<Answer> | Answer;

/** The payload of an ACK, and what is to be done after the host has been answered. */
export type Answer = { payload?: Uint8Array; afterwards?: () => void } | undefined;

/** The handlers of commands by their codes; a code that is not here is answered with ERROR. */
export type CommandHandlers = ReadonlyMap<number, CommandHandler>;

/** The control channel and its queue. */
export class Server {
  readonly #channel: Channel;
  readonly #decoder = new ControlDecoder();
  readonly #handlers: Promise<CommandHandlers>;
  /** what is to be answered, in order; an Error is the answer already */
  readonly #queue: (ControlFrame | Error)[] = [];
  #busy = false;

  /** @param handlers by their codes; commands wait for them */
  constructor(fd: number, handlers: Promise<CommandHandlers>, onHostGone: () => void) {
    this.#handlers = handlers;
    this.#channel = new Channel(fd, {
      onBytes: (bytes) => this.#take(bytes),
      onWritable: () => {},
      onHostGone: () => {
        this.#decoder.reset();
        onHostGone();
      },
    });
  }

  /** Sends a message that answers nothing: READY, or an event. */
  send(command: number, payload?: Uint8Array | string): void {
    this.#channel.output.write(encodeControl(command, payload));
  }

  #take(bytes: Uint8Array): boolean {
    // NEXT counts bytes, whatever they are, and comes before the answer (hyperstart.md 1.5).
    this.#channel.output.write(encodeNext(bytes.length));
    this.#decode(bytes);
    void this.#work();
    return this.#queue.length < QUEUE_LENGTH;
  }

  #decode(bytes: Uint8Array): void {
    try {
      this.#queue.push(...this.#decoder.push(bytes));
    } catch (error) {
      // Where the next message begins is unknown from here on. The host is told once, and may connect anew.
      log("error", `control channel: ${errorText(error)}`);
      if (!(error instanceof FrameError)) throw error;
      this.#queue.push(...(error.frames as readonly ControlFrame[]));
      if (error.code === "ERR_FRAME_LENGTH") this.#queue.push(error);
    }
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) {
      try {
        if (next instanceof Error) this.send(Command.ERROR, errorText(next));
        else await this.#answer(next);
      } catch (error) {
        // It has been answered; what is queued behind it must be too.
        log(
          "error",
          `after ${next instanceof Error ? "an error" : hostCommandName(next.command)}: ${errorText(error)}`,
        );
      }
      this.#channel.resume();
    }
    this.#busy = false;
  }

  async #answer({ command, payload }: ControlFrame): Promise<void> {
    let answer: Answer;
    try {
      const handler = (await this.#handlers).get(command);
      if (!handler) throw new Error(`command ${hostCommandName(command)} is not supported`);
      answer = await handler(payload);
    } catch (error) {
      log("info", `${hostCommandName(command)}: ${errorText(error)}`);
      this.send(Command.ERROR, errorText(error));
      return;
    }
    log("debug", `${hostCommandName(command)}: done`);
    this.send(Command.ACK, answer?.payload);
    answer?.afterwards?.();
  }
}
