/** Those who attach themselves to the process: they get its output from then on, and may give it input. */

import * as sys from "tiny:sys";
import {
  accept,
  EPOLLIN,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_NONBLOCK,
  startTimer,
  stopTimer,
  unwatch,
  watch,
} from "@husk/tiny";
import {
  type AttachHello,
  type ExitRecord,
  encodeExit,
  encodeHello,
  encodeOutput,
  MAX_ATTACH_OUTPUT_BYTES,
} from "@husk/wire/attach";
import { AttachClient, type AttachHandlers } from "./attach-client.ts";
import type { OutputName } from "./process-link.ts";

/** Most clients at a time. */
const MAX_CLIENTS = 64;
/** Milliseconds that a client has for what waits for it when the process has ended. */
const LEAVING_MS = 2000;

/** See the head of the file. */
export class AttachServer {
  readonly #listener: number;
  readonly #handlers: AttachHandlers;
  readonly #describe: () => AttachHello;
  readonly #clients = new Set<AttachClient>();
  #emptied: (() => void) | undefined;

  /**
   * @param listener listening socket that was handed down
   * @param describe what a client is told first of all
   */
  constructor(listener: number, handlers: AttachHandlers, describe: () => AttachHello) {
    this.#listener = listener;
    this.#handlers = handlers;
    this.#describe = describe;
    sys.fcntl(listener, F_SETFD, FD_CLOEXEC);
    sys.fcntl(listener, F_SETFL, sys.fcntl(listener, F_GETFL, 0) | O_NONBLOCK);
    watch(listener, EPOLLIN, () => this.#accept());
  }

  /** Whether anybody wants output. */
  get hasSubscribers(): boolean {
    for (const client of this.#clients) if (client.isSubscribed) return true;
    return false;
  }

  /** Sends output to all who want it; `offset` is where it begins in its stream. */
  broadcast(name: OutputName, offset: number, data: Uint8Array): void {
    for (let at = 0; at < data.length; at += MAX_ATTACH_OUTPUT_BYTES) {
      const frame = encodeOutput(name, offset + at, data.subarray(at, at + MAX_ATTACH_OUTPUT_BYTES));
      for (const client of this.#clients) if (client.isSubscribed) client.send(frame);
    }
  }

  /** Tells all how the process ended, and takes nobody else. */
  tellExit(exit: ExitRecord): void {
    unwatch(this.#listener);
    // Who has connected by now is told, too.
    this.#accept();
    sys.close(this.#listener);
    const frame = encodeExit(exit);
    for (const client of this.#clients) client.leave(frame);
  }

  /** Calls `gone` when all have what they were sent, or their time is up. */
  whenAllGone(gone: () => void): void {
    const timer = startTimer(LEAVING_MS, () => {
      for (const client of this.#clients) client.close();
    });
    this.#emptied = () => {
      stopTimer(timer);
      gone();
    };
    this.#tellWhenEmpty();
  }

  #accept(): void {
    for (let fd = accept(this.#listener); fd !== undefined; fd = accept(this.#listener)) {
      if (this.#clients.size >= MAX_CLIENTS) {
        sys.close(fd);
        continue;
      }
      const client = new AttachClient(fd, this.#handlers, (gone) => {
        this.#clients.delete(gone);
        this.#tellWhenEmpty();
      });
      this.#clients.add(client);
      client.send(encodeHello(this.#describe()));
    }
  }

  #tellWhenEmpty(): void {
    if (this.#clients.size > 0) return;
    const emptied = this.#emptied;
    this.#emptied = undefined;
    emptied?.();
  }
}
