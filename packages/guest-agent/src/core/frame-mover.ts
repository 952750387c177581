/** Frames whose data are moved from pipe to pipe, and never copied into the agent. */

import * as sys from "tiny:sys";
import {
  F_SETPIPE_SZ,
  O_CLOEXEC,
  O_NONBLOCK,
  type Output,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from "@husk/tiny";

/** A pipe of the agent's own, in which pages wait on their way. */
export class Conduit {
  readonly from: number;
  readonly to: number;

  constructor(bytes: number) {
    [this.from, this.to] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
    try {
      sys.fcntl(this.to, F_SETPIPE_SZ, bytes);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    sys.close(this.from);
    sys.close(this.to);
  }
}

/** Moves at most `length` bytes; -1 when either side is not ready. */
export function move(from: number, to: number, length: number): number {
  return sys.splice(from, to, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

/**
 * Sends frames to a channel, whole ones from memory, and ones whose data are in a pipe.
 *
 * A frame that is moved is put together in a pipe and handed over as a whole, so that a virtio port makes one buffer of
 * it; whatever else is in a pipe when a part of it is moved to a port, the port's driver takes for empty buffers, which
 * QEMU refuses.
 */
export class FrameMover {
  readonly #output: Output;
  readonly #pipeBytes: number;
  /** made when it is first needed */
  #whole: Conduit | undefined;
  /** bytes of a moved frame that the channel has not taken yet */
  #waiting = 0;
  #deferred: Uint8Array[] = [];

  /** @param dataBytes most bytes of data in a frame that is moved */
  constructor(output: Output, dataBytes: number) {
    this.#output = output;
    // A pipe counts pages, and neither the head nor the ends of the data need fill theirs.
    this.#pipeBytes = 2 * dataBytes;
  }

  /** True while no new frame may be begun. */
  get blocked(): boolean {
    return this.#waiting > 0 || this.#output.blocked;
  }

  /** Writes a whole frame, after the one under way. */
  write(bytes: Uint8Array, offset = 0, length = bytes.length): void {
    if (this.#waiting > 0) this.#deferred.push(bytes.slice(offset, offset + length));
    else this.#output.write(bytes, offset, length);
  }

  /** Sends a frame, with nothing under way: a head, and all the data, which are in a pipe. */
  move(head: Uint8Array, from: number, dataBytes: number): void {
    this.#whole ??= new Conduit(this.#pipeBytes);
    const { to } = this.#whole;
    sys.write(to, head, 0, head.length);
    for (let moved = 0; moved < dataBytes; ) {
      const part = move(from, to, dataBytes - moved);
      if (part <= 0) throw new Error(`${dataBytes - moved} bytes of a frame are stuck`);
      moved += part;
    }
    this.#waiting = head.length + dataBytes;
    this.#handOver();
  }

  /** Goes on with the frame under way, now that the channel takes bytes. True when it is through. */
  resume(): boolean {
    this.#handOver();
    return !this.blocked;
  }

  /** Forgets what is under way: nobody waits for the rest of it. */
  reset(): void {
    this.#output.discard();
    this.#deferred = [];
    if (this.#waiting === 0) return;
    this.#waiting = 0;
    this.#whole?.close();
    this.#whole = undefined;
  }

  #handOver(): void {
    while (this.#whole && this.#waiting > 0 && !this.#output.blocked) {
      const count = move(this.#whole.from, this.#output.fd, this.#waiting);
      if (count <= 0) return;
      this.#waiting -= count;
    }
    if (this.#waiting === 0) for (const bytes of this.#deferred.splice(0)) this.#output.write(bytes);
  }
}
