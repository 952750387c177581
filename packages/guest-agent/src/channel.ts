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
      const { count, isEnd } = this.#fill();
      if (count > 0) this.#paused = !this.#handlers.onBytes(buffer.subarray(0, count));
      if (isEnd) this.#handlers.onHostGone();
      if (isEnd || count < READ_BYTES) return;
    }
  }

  /** Reads what is there, up to a whole buffer: a port gives a page at a time, and each call of a handler has its price. */
  #fill(): { count: number; isEnd: boolean } {
    let count = 0;
    while (count < READ_BYTES) {
      const more = sys.read(this.#fd, buffer, count, READ_BYTES - count);
      if (more <= 0) return { count, isEnd: more === 0 };
      count += more;
    }
    return { count, isEnd: false };
  }
}
