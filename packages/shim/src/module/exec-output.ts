import * as sys from "tiny:sys";
import { callSoon, EPOLLIN, Errno, hasErrno, unwatch, watch } from "@husk/tiny";
import { encodeExecOutput } from "@husk/wire/module-shim";
import type { ControlClient } from "./control-client.ts";

/** Bytes of a frame. */
const READ_BYTES = 16 * 1024;
/** Reads after which others have their turn. */
const READS_AT_ONCE = 8;
/** Bytes of what a command says that are kept for an error. */
const TEXT_BYTES = 2048;

/** An output of an exec, on its way to the client, who holds the process up when he does not take it. */
export class ExecOutput {
  readonly #name: "stdout" | "stderr";
  readonly #fd: number;
  readonly #client: ControlClient;
  #isOpen = true;
  #isWatched = false;
  #finished: (() => void) | undefined;

  constructor(name: "stdout" | "stderr", fd: number, client: ControlClient) {
    this.#name = name;
    this.#fd = fd;
    this.#client = client;
  }

  /** Sends what comes from now on. */
  begin(): void {
    this.#listen();
  }

  /** Goes on when the client takes more, or has gone: then it is dropped. */
  readOn(): void {
    if (!this.#isOpen || this.#isWatched) return;
    if (this.#finished) this.#read();
    else this.#listen();
  }

  /** Resolves when all that is there has been sent, of a process that has ended: nobody else is waited for. */
  finish(): Promise<void> {
    if (!this.#isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      this.#finished = resolve;
      this.#ignore();
      this.#read();
    });
  }

  /** What is there, as text. */
  readText(): string {
    const bytes = new Uint8Array(TEXT_BYTES);
    return sys.decodeUtf8(bytes.subarray(0, Math.max(0, sys.read(this.#fd, bytes, 0, bytes.length))));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#ignore();
    sys.close(this.#fd);
  }

  #read(): void {
    for (let reads = 0; this.#isOpen; reads++) {
      if (this.#client.isOpen && this.#client.isBlocked) {
        this.#ignore();
        return;
      }
      if (reads === READS_AT_ONCE) {
        // While it is watched it is called again by itself.
        if (this.#finished) callSoon(() => this.#read());
        return;
      }
      const bytes = new Uint8Array(READ_BYTES);
      const count = readOrEnd(this.#fd, bytes);
      if (count <= 0) {
        this.#onEmpty(count === 0);
        return;
      }
      this.#client.send(encodeExecOutput(this.#name, bytes.subarray(0, count)));
    }
  }

  #onEmpty(isEnd: boolean): void {
    if (isEnd) this.close();
    this.#finished?.();
  }

  #listen(): void {
    if (!this.#isOpen || this.#isWatched) return;
    this.#isWatched = true;
    watch(this.#fd, EPOLLIN, () => this.#read());
  }

  #ignore(): void {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    unwatch(this.#fd);
  }
}

/** A terminal that nobody has open at its other end gives an error for its end. */
function readOrEnd(fd: number, bytes: Uint8Array): number {
  try {
    return sys.read(fd, bytes, 0, bytes.length);
  } catch (error) {
    if (hasErrno(error, Errno.EIO)) return 0;
    throw error;
  }
}
