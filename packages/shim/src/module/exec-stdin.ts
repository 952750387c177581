import * as sys from "tiny:sys";
import { EPOLLOUT, isSystemError, Output, unwatch, watch } from "@husk/tiny";

/** The input of an exec, in a pipe. */
export class ExecStdin {
  readonly #fd: number;
  readonly #output: Output;
  /** more may be given */
  readonly #emptied: () => void;
  #isOpen = true;
  #ends = false;
  #isWatched = false;

  constructor(fd: number, emptied: () => void) {
    this.#fd = fd;
    this.#output = new Output(fd);
    this.#emptied = emptied;
  }

  /** Takes input, or its end when there is none. False: no more until it is emptied. */
  give(data: Uint8Array): boolean {
    if (!this.#isOpen || this.#ends) return true;
    if (data.length === 0) this.#ends = true;
    else this.#try(() => this.#output.write(data));
    return this.#settle();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#isWatched) unwatch(this.#fd);
    this.#output.discard();
    sys.close(this.#fd);
  }

  /** Waits for room if there has to be any; true when nothing is left. */
  #settle(): boolean {
    if (!this.#isOpen) return true;
    if (this.#output.blocked) {
      this.#listen();
      return false;
    }
    if (this.#ends) this.close();
    return true;
  }

  #listen(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    watch(this.#fd, EPOLLOUT, () => this.#flush());
  }

  #flush(): void {
    this.#try(() => this.#output.flush());
    if (this.#isOpen && this.#output.blocked) return;
    if (this.#isOpen && this.#isWatched) {
      this.#isWatched = false;
      unwatch(this.#fd);
    }
    this.#settle();
    this.#emptied();
  }

  /** A process that has closed its input takes no more; what it leaves is dropped. */
  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.close();
    }
  }
}
