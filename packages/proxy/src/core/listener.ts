/** The socket on which a proxy listens. */

import * as sys from "tiny:sys";
import {
  accept,
  EPOLLIN,
  Errno,
  errorText,
  hasErrno,
  isSystemError,
  listenUnixPrivately,
  startTimer,
  stopTimer,
  unwatch,
  watch,
} from "@husk/tiny";
import { log } from "./log.ts";

/** Clients that may wait until they are accepted: all shims of a large pod. */
const BACKLOG = 1024;
/** Milliseconds for which no client is taken when there is no descriptor left for one. */
const RELIEF_MS = 1000;

/** Where it listens. */
export interface ListenerOptions {
  readonly path: string;
  /** a socket that listens there already */
  readonly fd: number | undefined;
}

/** See the head of the file. */
export class Listener {
  readonly #fd: number;
  readonly #path: string;
  readonly #onClient: (fd: number) => void;
  #relief: number | undefined;
  #isOpen = true;

  /** @throws Error of a system call, when the path is taken */
  constructor({ path, fd }: ListenerOptions, onClient: (fd: number) => void) {
    this.#path = path;
    this.#fd = fd ?? listenUnixPrivately(path, BACKLOG);
    this.#onClient = onClient;
    this.#watch();
  }

  /** Listens no more. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    stopTimer(this.#relief);
    unwatch(this.#fd);
    try {
      sys.unlink(this.#path);
    } catch (error) {
      if (!hasErrno(error, Errno.ENOENT)) throw error;
    }
    sys.close(this.#fd);
  }

  #watch(): void {
    watch(this.#fd, EPOLLIN, () => {
      for (let client = this.#next(); client !== undefined; client = this.#next()) this.#onClient(client);
    });
  }

  /** The next client. Those who are there are served on when no other can be taken for now. */
  #next(): number | undefined {
    if (!this.#isOpen) return undefined;
    try {
      return accept(this.#fd);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      log("error", `no client can be taken: ${errorText(error)}`);
      unwatch(this.#fd);
      this.#relief = startTimer(RELIEF_MS, () => this.#watch());
      return undefined;
    }
  }
}
