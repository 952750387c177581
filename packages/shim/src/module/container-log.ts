/**
 * The log of a container: bytes are moved into it as they come out of a FIFO, by the kernel, which takes from the FIFO what it has
 * put into the file. So a shim that is killed at any instant has neither lost nor doubled any.
 */

import * as sys from "tiny:sys";
import {
  errorText,
  isSystemError,
  O_CLOEXEC,
  O_NONBLOCK,
  O_WRONLY,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from "@husk/tiny";
import type { ShimLogPlan } from "@husk/wire/module-shim";
import { makeWay } from "./log-rotation.ts";
import { openLogFile } from "./open-log-file.ts";

/** Most bytes moved at once: what a FIFO holds. */
const MOVED_BYTES = 64 * 1024;
/** Bytes above a file's size that a line may have before it is cut. */
const LONG_LINE_BYTES = 1024 * 1024;
const FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
const NEWLINE = 10;

/** What becomes known while output is moved. */
export interface LogEvents {
  /** Output was dropped. `isFirst`: what came before it was written */
  onDropped(bytes: number, isFirst: boolean): void;
  /** The log could not be opened, written or rotated. */
  onFault(text: string): void;
}

/** See the head of the file. */
export class ContainerLog {
  readonly #plan: ShimLogPlan;
  readonly #events: LogEvents;
  #fd: number | undefined;
  #isDropping = false;
  /** size from which on the file is rotated; more than the plan's after a rotation that failed */
  #turnAt: number;

  constructor(plan: ShimLogPlan, events: LogEvents) {
    this.#plan = plan;
    this.#events = events;
    this.#turnAt = plan.maxBytes;
  }

  /** Opens the file. Without it, the first output does. @throws SystemError when it cannot be */
  open(): number {
    this.#fd = openLogFile(this.#plan.path);
    return this.#fd;
  }

  /** Moves some of what is in a FIFO, which never waits for the log: what that does not take is dropped. Bytes; 0 for none */
  take(fifo: number): number {
    try {
      const moved = this.#write(fifo);
      this.#isDropping &&= moved === 0;
      return moved;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return this.#drop(fifo, errorText(error));
    }
  }

  #write(fifo: number): number {
    const fd = this.#fd ?? this.open();
    // Asked of the file each time: somebody may have emptied it.
    const size = sys.fstat(fd).size;
    if (size < this.#turnAt) return Math.max(0, sys.splice(fifo, fd, MOVED_BYTES, FLAGS, size));
    return this.#writeRest(fifo, fd, size);
  }

  /** Moves the rest of a line into a file that has its size, then begins another file. */
  #writeRest(fifo: number, fd: number, size: number): number {
    const rest = bytesToLineEnd(fifo);
    if (rest === 0) return 0;
    const isWhole = size >= this.#turnAt + LONG_LINE_BYTES || endsLine(fd, size);
    if (isWhole) {
      this.#turn();
      const fresh = this.#fd ?? fd;
      return Math.max(0, sys.splice(fifo, fresh, MOVED_BYTES, FLAGS, sys.fstat(fresh).size));
    }
    return Math.max(0, sys.splice(fifo, fd, rest, FLAGS, size));
  }

  #turn(): void {
    const old = this.#fd;
    try {
      this.#fd = makeWay(this.#plan);
      this.#turnAt = this.#plan.maxBytes;
      if (old !== undefined) sys.close(old);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#turnAt += this.#plan.maxBytes;
      this.#events.onFault(`the log cannot be rotated: ${errorText(error)}`);
    }
  }

  #drop(fifo: number, reason: string): number {
    const nothing = sys.open("/dev/null", O_WRONLY | O_CLOEXEC, 0);
    try {
      const dropped = Math.max(0, sys.splice(fifo, nothing, MOVED_BYTES, FLAGS));
      if (dropped === 0) return 0;
      if (!this.#isDropping) this.#events.onFault(`output is dropped: ${reason}`);
      this.#events.onDropped(dropped, !this.#isDropping);
      this.#isDropping = true;
      return dropped;
    } finally {
      sys.close(nothing);
    }
  }
}

function endsLine(fd: number, size: number): boolean {
  const last = new Uint8Array(1);
  return size === 0 || sys.pread(fd, last, 0, 1, size - 1) < 1 || last[0] === NEWLINE;
}

/** Bytes up to the end of the line with which a FIFO begins; all that is there when it is longer. They stay in the FIFO. */
function bytesToLineEnd(fifo: number): number {
  const [reader, writer] = sys.pipe2(O_CLOEXEC | O_NONBLOCK);
  try {
    const count = sys.tee(fifo, writer, MOVED_BYTES, FLAGS);
    if (count <= 0) return 0;
    const copy = new Uint8Array(count);
    const size = Math.max(0, sys.read(reader, copy, 0, count));
    return copy.subarray(0, size).indexOf(NEWLINE) + 1 || size;
  } finally {
    sys.close(reader);
    sys.close(writer);
  }
}
