import type { Socket } from "node:net";
import { encodeStream, HOST_STREAM_FRAME_BYTES, STREAM_HEADER_BYTES } from "@husk/wire/hyperstart";

/** Most bytes of data in one frame to the guest. */
const MAX_DATA_BYTES = HOST_STREAM_FRAME_BYTES - STREAM_HEADER_BYTES;

/** Writes to the stream channel in frames that the agent takes: at most 4096 bytes, each in one write. */
export class StreamWriter {
  readonly #socket: Socket;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    const wake = () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const done of waiting) done();
    };
    socket.on("drain", wake);
    socket.once("close", wake);
  }

  /** `done` is called when the socket can take more, or is gone. */
  write(seq: number, data: Uint8Array, done: () => void): void {
    let hasRoom = true;
    for (let at = 0; at < data.length && !this.#socket.destroyed; at += MAX_DATA_BYTES) {
      hasRoom = this.#socket.write(encodeStream(seq, data.subarray(at, at + MAX_DATA_BYTES)));
    }
    if (hasRoom || this.#socket.destroyed) done();
    else this.#waiting.push(done);
  }
}
