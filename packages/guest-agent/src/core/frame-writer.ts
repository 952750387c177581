/** A process's output as frames on the stream channel: a little is copied, a lot is moved. */

import * as sys from "tiny:sys";
import { Errno, hasErrno, type Output, unwatch } from "@husk/tiny";
import {
  GUEST_STREAM_FRAME_BYTES,
  MAX_STREAM_FRAME_BYTES,
  STREAM_HEADER_BYTES,
  writeStreamHeader,
} from "@husk/wire/hyperstart";

import { Conduit, FrameMover, move } from "./frame-mover.ts";

/** Most bytes of data in a frame that is copied, and in one that is moved: a whole pipe of usual size. */
const COPIED_BYTES = GUEST_STREAM_FRAME_BYTES - STREAM_HEADER_BYTES;
const MOVED_BYTES = MAX_STREAM_FRAME_BYTES - STREAM_HEADER_BYTES;

// Shared: a frame is on its way before the next is begun.
const frame = new Uint8Array(GUEST_STREAM_FRAME_BYTES);

/** One output of a process: a pipe or a terminal. */
export class OutputSource {
  readonly fd: number;
  readonly seq: number;
  readonly isPipe: boolean;
  /** the last read filled its buffer, so that there is more than it took */
  isFlowing = false;
  readonly #ended: () => void;
  #open = true;

  constructor(fd: number, seq: number, isPipe: boolean, ended: () => void) {
    this.fd = fd;
    this.seq = seq;
    this.isPipe = isPipe;
    this.#ended = ended;
  }

  get open(): boolean {
    return this.#open;
  }

  end(): void {
    if (!this.#open) return;
    this.#open = false;
    unwatch(this.fd);
    this.#ended();
  }
}

/** Writes one frame after the other. The data are taken before the header, as the process may read from its own pipe. */
export class FrameWriter {
  readonly #mover: FrameMover;
  readonly #data = new Conduit(MOVED_BYTES);

  constructor(output: Output) {
    this.#mover = new FrameMover(output, MOVED_BYTES);
  }

  /** True while no new frame may be begun. */
  get blocked(): boolean {
    return this.#mover.blocked;
  }

  /** Writes a whole frame, after the one under way. */
  write(bytes: Uint8Array): void {
    this.#mover.write(bytes);
  }

  /** Goes on with the frame under way, now that the channel takes bytes. True when it is through. */
  resume(): boolean {
    return this.#mover.resume();
  }

  /** Sends one frame of what the source has. */
  send(source: OutputSource): "sent" | "empty" | "ended" {
    if (!source.open) return "ended";
    const count = source.isPipe && source.isFlowing ? this.#moveFrame(source) : this.#copyFrame(source);
    if (count < 0) return "empty";
    return count === 0 ? "ended" : "sent";
  }

  #copyFrame(source: OutputSource): number {
    const count = readSource(source.fd);
    if (count <= 0) return count;
    source.isFlowing = count === COPIED_BYTES;
    // Header and data in one write, which a virtio port takes as a whole.
    writeStreamHeader(frame, source.seq, count);
    this.#mover.write(frame, 0, STREAM_HEADER_BYTES + count);
    return count;
  }

  #moveFrame(source: OutputSource): number {
    const count = move(source.fd, this.#data.to, MOVED_BYTES);
    if (count <= 0) return count;
    // What comes in small pieces is cheaper to copy.
    source.isFlowing = count >= COPIED_BYTES;
    writeStreamHeader(frame, source.seq, count);
    this.#mover.move(frame.subarray(0, STREAM_HEADER_BYTES), this.#data.from, count);
    return count;
  }
}

/** Bytes read into the frame, behind the room for its header; -1 when nothing is there yet; 0 at the end. */
function readSource(fd: number): number {
  try {
    return sys.read(fd, frame, STREAM_HEADER_BYTES, COPIED_BYTES);
  } catch (error) {
    // A terminal whose last user has closed it.
    if (hasErrno(error, Errno.EIO)) return 0;
    throw error;
  }
}
