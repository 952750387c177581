/** One byte stream to the host: a virtio-serial port in a VM, an inherited socket in the agent's own tests. */

import * as sys from "tiny:sys";
import { EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, Errno, hasErrno, Output, watch } from "@husk/tiny";

/** Bytes asked for in one read. */
const READ_BYTES = 64 * 1024;

// Shared by all channels: what is read is used up before the next read.
const buffer = new Uint8Array(READ_BYTES);

/** What the owner of a channel does with it. */
export interface ChannelHandlers {
  /** Bytes came. They are in a buffer that is used again: copy what must stay. False pauses the channel. */
  onBytes(bytes: Uint8Array): boolean;
  /** The descriptor takes bytes again, after it did not. */
  onWritable(): void;
  /** Whether bytes that the port gave at once are the first of another host. Then {@link onNewHost} is called before. */
  isNewHost?(bytes: Uint8Array): boolean;
  /** Another host has come in the place of the one before. */
  onNewHost?(): void;
  /** The host went away. It may come back: a port goes on, with frames from their start. */
  onHostGone(): void;
}

/**
 * Watches for edges only: a port without a host is "hung up" for as long as that lasts, which a level would repeat
 * without end.
 */
export class Channel {
  readonly output: Output;
  readonly #fd: number;
  readonly #handlers: ChannelHandlers;
  #paused = false;

  constructor(fd: number, handlers: ChannelHandlers) {
    this.#fd = fd;
    this.#handlers = handlers;
    this.output = new Output(fd);
    watch(fd, EPOLLIN | EPOLLOUT | EPOLLET, (events) => this.#ready(events));
  }

  /** Reads on, after {@link ChannelHandlers.onBytes} paused it. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#noticeEnd(() => this.#read());
  }

  #ready(events: number): void {
    this.#noticeEnd(() => {
      if (events & EPOLLOUT && this.output.flush()) this.#handlers.onWritable();
      if (events & (EPOLLIN | EPOLLHUP)) this.#read();
    });
  }

  /** A socket whose host went while something was under way says so as an error; a port never does. */
  #noticeEnd(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!hasErrno(error, Errno.EPIPE, Errno.ECONNRESET)) throw error;
      this.output.discard();
      this.#handlers.onHostGone();
    }
  }

  #read(): void {
    while (!this.#paused) {
      const { count, isEnd, newHost } = this.#fill();
      if (newHost !== undefined) {
        this.#give(0, newHost);
        this.#handlers.onNewHost?.();
        this.#paused = false;
      }
      this.#give(newHost ?? 0, count);
      if (isEnd) this.#handlers.onHostGone();
      if (isEnd || count < READ_BYTES) return;
    }
  }

  #give(start: number, end: number): void {
    if (end > start) this.#paused = !this.#handlers.onBytes(buffer.subarray(start, end));
  }

  /**
   * Reads what is there, up to a whole buffer: a port gives a page at a time, and each call of a handler has its price.
   * Also gives where another host's first bytes are in it.
   */
  #fill(): { count: number; isEnd: boolean; newHost: number | undefined } {
    let count = 0;
    let newHost: number | undefined;
    while (count < READ_BYTES) {
      const more = sys.read(this.#fd, buffer, count, READ_BYTES - count);
      if (more <= 0) return { count, isEnd: more === 0, newHost };
      if (this.#handlers.isNewHost?.(buffer.subarray(count, count + more))) newHost = count;
      count += more;
    }
    return { count, isEnd: false, newHost };
  }
}
