/** The agent's stream channel: the output of all processes, and their input. */

import * as sys from "tiny:sys";
import { Connection } from "@husk/tiny";
import {
  HOST_STREAM_FRAME_BYTES,
  MARKER_RANDOM_BYTES,
  makeStreamMarker,
  type PieceSink,
  STREAM_HEADER_BYTES,
  StreamPieces,
  StreamSalvage,
  writeStreamHeader,
} from "@husk/wire/hyperstart";

/** Most bytes of input in one frame. */
const MAX_INPUT_BYTES = HOST_STREAM_FRAME_BYTES - STREAM_HEADER_BYTES;

// Shared: a frame is written, or copied, before the next is made.
const frame = new Uint8Array(HOST_STREAM_FRAME_BYTES);

/** What a stream channel tells. */
export interface StreamEvents {
  /**
   * Data of a stream came, or none: its end. Their memory may be written over, also as many bytes before them as a header has,
   * and is used again when this returns.
   */
  readonly onData: PieceSink;
  /** Input is taken again, after it was not. */
  onInputRoom(): void;
  /** Nothing comes any more. `fault`: what the guest did wrong */
  onEnd(fault?: string): void;
}

/** See the head of the file. */
export class StreamChannel {
  readonly #connection: Connection;
  readonly #pieces: StreamPieces;
  readonly #events: StreamEvents;
  /** while the channel is taken over from another proxy, and not understood yet */
  #resync: StreamSalvage | undefined;

  /** `lastSeq`: last number of a stream, if another proxy had the channel and may have left it in the middle of a frame */
  constructor(fd: number, events: StreamEvents, lastSeq: number | undefined) {
    this.#events = events;
    this.#pieces = new StreamPieces(events.onData);
    this.#connection = new Connection(
      fd,
      {
        onBytes: (bytes) => this.#guard(bytes),
        onWritable: () => events.onInputRoom(),
        onEnd: () => events.onEnd(),
      },
      true,
    );
    if (lastSeq === undefined) return;
    const random = new Uint8Array(MARKER_RANDOM_BYTES);
    sys.getrandom(random);
    const marker = makeStreamMarker(random);
    this.#resync = new StreamSalvage(marker, (seq) => seq > 0 && seq <= lastSeq);
    this.#connection.write(marker);
  }

  /** Whether no more input should be given for now. */
  get inputBlocked(): boolean {
    return this.#connection.blocked;
  }

  /** Gives a stream input, in frames that every agent takes: at most 4096 bytes, each in one write. None ends the input. */
  sendInput(seq: number, data: Uint8Array): void {
    let at = 0;
    do {
      const count = Math.min(data.length - at, MAX_INPUT_BYTES);
      writeStreamHeader(frame, seq, count);
      frame.set(data.subarray(at, at + count), STREAM_HEADER_BYTES);
      this.#connection.write(frame, 0, STREAM_HEADER_BYTES + count);
      at += count;
    } while (at < data.length);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  close(): void {
    this.#connection.close();
  }

  /** Whatever the guest sends can end its own pod at most. */
  #guard(bytes: Uint8Array): void {
    try {
      this.#take(bytes);
    } catch (error) {
      this.#connection.close();
      this.#events.onEnd(`the guest sent a bad frame: ${error instanceof Error ? error.message : error}`);
    }
  }

  #take(bytes: Uint8Array): void {
    const rest = this.#resync ? this.#resync.push(bytes) : bytes;
    if (!rest) return;
    this.#resync = undefined;
    this.#pieces.push(rest);
  }
}
