/** A process's output as frames on the stream channel: a little is copied, a lot is moved. */

import * as sys from "tiny:sys";
import {
  Errno,
  F_SETPIPE_SZ,
  hasErrno,
  O_CLOEXEC,
  O_NONBLOCK,
  type Output,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
  unwatch,
} from "@husk/tiny";
import {
  GUEST_STREAM_FRAME_BYTES,
  MAX_STREAM_FRAME_BYTES,
  STREAM_HEADER_BYTES,
  writeStreamHeader,
} from "@husk/wire/hyperstart";

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

/** A pipe of the agent's own, in which pages wait on their way. */
class Conduit {
  readonly from: number;
  readonly to: number;

  constructor(bytes: number) {
    [this.from, this.to] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
    sys.fcntl(this.to, F_SETPIPE_SZ, bytes);
  }
}

/** Moves at most `length` bytes; -1 when either side is not ready. */
function move(from: number, to: number, length: number): number {
  return sys.splice(from, to, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

/**
 * Writes one frame after the other.
 *
 * A frame that is moved is put together in a pipe and handed over as a whole, so that a virtio port makes one buffer of
 * it; whatever else is in a pipe when a part of it is moved to a port, the port's driver takes for empty buffers, which
 * QEMU refuses. The data are taken before the header is written, as the process itself may read from its own pipe.
 */
export class FrameWriter {
  readonly #output: Output;
  readonly #data = new Conduit(MOVED_BYTES);
  readonly #whole = new Conduit(2 * MOVED_BYTES);
  /** bytes of a moved frame that the channel has not taken yet */
  #waiting = 0;
  #deferred: Uint8Array[] = [];

  constructor(output: Output) {
    this.#output = output;
  }

  /** True while no new frame may be begun. */
  get blocked(): boolean {
    return this.#waiting > 0 || this.#output.blocked;
  }

  /** Writes a whole frame, after the one under way. */
  write(bytes: Uint8Array): void {
    if (this.#waiting > 0) this.#deferred.push(bytes);
    else this.#output.write(bytes);
  }

  /** Goes on with the frame under way, now that the channel takes bytes. True when it is through. */
  resume(): boolean {
    this.#handOver();
    return !this.blocked;
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
    this.#output.write(frame, 0, STREAM_HEADER_BYTES + count);
    return count;
  }

  #moveFrame(source: OutputSource): number {
    const count = move(source.fd, this.#data.to, MOVED_BYTES);
    if (count <= 0) return count;
    // What comes in small pieces is cheaper to copy.
    source.isFlowing = count >= COPIED_BYTES;
    writeStreamHeader(frame, source.seq, count);
    sys.write(this.#whole.to, frame, 0, STREAM_HEADER_BYTES);
    // The second pipe has room for all that the first one holds.
    for (let moved = 0; moved < count; ) {
      const part = move(this.#data.from, this.#whole.to, count - moved);
      if (part <= 0) throw new Error(`${count - moved} bytes of a frame are stuck`);
      moved += part;
    }
    this.#waiting = STREAM_HEADER_BYTES + count;
    this.#handOver();
    return count;
  }

  #handOver(): void {
    while (this.#waiting > 0 && !this.#output.blocked) {
      const count = move(this.#whole.from, this.#output.fd, this.#waiting);
      if (count <= 0) return;
      this.#waiting -= count;
    }
    if (this.#waiting === 0) for (const bytes of this.#deferred.splice(0)) this.#output.write(bytes);
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
