/** The socket on which a proxy listens. */

import * as sys from "tiny:sys";
import { accept, EPOLLIN, Errno, hasErrno, listenUnix, unwatch, watch } from "@husk/tiny";

/** Clients that may wait until they are accepted: all shims of a large pod. */
const BACKLOG = 1024;
/** Mask of files that only their owner may use. */
const PRIVATE = 0o177;

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

  /** @throws Error of a system call, when the path is taken */
  constructor({ path, fd }: ListenerOptions, onClient: (fd: number) => void) {
    this.#path = path;
    this.#fd = fd ?? listenPrivately(path);
    watch(this.#fd, EPOLLIN, () => {
      for (let client = accept(this.#fd); client !== undefined; client = accept(this.#fd)) onClient(client);
    });
  }

  /** Listens no more. */
  close(): void {
    unwatch(this.#fd);
    try {
      sys.unlink(this.#path);
    } catch (error) {
      if (!hasErrno(error, Errno.ENOENT)) throw error;
    }
    sys.close(this.#fd);
  }
}

function listenPrivately(path: string): number {
  const mask = sys.umask(PRIVATE);
  try {
    return listenUnix(path, BACKLOG);
  } finally {
    sys.umask(mask);
  }
}
