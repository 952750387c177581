/** The agent of one VM, by its two channels. */

import * as sys from "tiny:sys";
import { callSoon, connectUnix } from "@husk/tiny";
import type { PieceSink, ProcessAsyncEvent } from "@husk/wire/hyperstart";
import { ControlChannel, type Reply } from "./control-channel.ts";
import { StreamChannel } from "./stream-channel.ts";

/** Sockets of the channels. */
export interface VmSockets {
  readonly ctlSerial: string;
  readonly ioSerial: string;
}

/** What is told of a VM. */
export interface VmEvents {
  /** The agent serves, or, when its channels were taken over, is understood. */
  onReady(): void;
  onProcessEvent(event: ProcessAsyncEvent): void;
  /** See StreamEvents.onData. */
  readonly onData: PieceSink;
  onInputRoom(): void;
  /** No commands can be sent any more, nothing of the guest is told but its last output. */
  onControlEnd(): void;
  /** All has come that could. `fault`: what the guest did wrong */
  onEnd(fault: string | undefined): void;
}

/** See the head of the file. */
export class Vm {
  readonly #control: ControlChannel;
  readonly #stream: StreamChannel;

  /**
   * Connects to both channels.
   * @param lastSeq last number of a stream, if another proxy had them
   * @throws Error when nobody serves them
   */
  constructor({ ctlSerial, ioSerial }: VmSockets, events: VmEvents, lastSeq: number | undefined) {
    const control = connectUnix(ctlSerial);
    const stream = connectOr(ioSerial, control);
    const end = (fault: string | undefined) => {
      this.close();
      events.onEnd(fault);
    };
    const onControlEnd = (fault?: string) => (fault === undefined ? events.onControlEnd() : end(fault));
    const controlEvents = {
      onReady: () => events.onReady(),
      onProcessEvent: (event: ProcessAsyncEvent) => events.onProcessEvent(event),
      onEnd: onControlEnd,
    };
    const streamEvents = {
      onData: events.onData,
      onInputRoom: () => events.onInputRoom(),
      // The channels have no order between them: an end of a process may wait to be read on the other.
      onEnd: (fault?: string) =>
        callSoon(() => {
          this.#control.poll();
          end(fault);
        }),
    };
    this.#control = new ControlChannel(control, controlEvents, lastSeq !== undefined);
    this.#stream = new StreamChannel(stream, streamEvents, lastSeq);
  }

  /** Sends a command. @throws Error when the VM ends before it is answered */
  request(command: number, payload?: Uint8Array | string): Promise<Reply> {
    return this.#control.request(command, payload);
  }

  get inputBlocked(): boolean {
    return this.#stream.inputBlocked;
  }

  sendInput(seq: number, data: Uint8Array): void {
    this.#stream.sendInput(seq, data);
  }

  /** Reads no output for now. */
  pauseOutput(): void {
    this.#stream.pause();
  }

  resumeOutput(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#control.close();
    this.#stream.close();
  }
}

function connectOr(path: string, opened: number): number {
  try {
    return connectUnix(path);
  } catch (error) {
    sys.close(opened);
    throw error;
  }
}
