import * as sys from "tiny:sys";
import { callSoon, EPOLLET, EPOLLIN, EPOLLOUT, isSystemError, Output, unwatch, watch } from "@husk/tiny";
import { AttachProtocolError, type AttachRequest, AttachRequestDecoder } from "@husk/wire/attach";

/** Bytes that may wait for a client; one that lets more pile up is sent away. */
const MAX_WAITING_BYTES = 1024 * 1024;
const READ_BYTES = 16 * 1024;
/** Reads after which others have their turn. */
const READS_AT_ONCE = 8;

/** What a client may ask for. */
export interface AttachHandlers {
  /** Gives input; `taken` is called when more may be given. */
  giveStdin(data: Uint8Array, taken: () => void): void;
  endStdin(): void;
  resize(rows: number, columns: number): void;
  signal(signal: number): void;
}

/** Somebody who has attached himself to the process. */
export class AttachClient {
  readonly #fd: number;
  readonly #handlers: AttachHandlers;
  readonly #closed: (client: AttachClient) => void;
  readonly #output: Output;
  readonly #decoder = new AttachRequestDecoder();
  /** pieces of input that have not been taken: nothing is read meanwhile */
  #pieces = 0;
  #isOpen = true;
  /** it is closed when all that waits is written */
  #isLeaving = false;
  /** it wants output */
  isSubscribed = false;

  /** @param closed told once, when the connection has been closed */
  constructor(fd: number, handlers: AttachHandlers, closed: (client: AttachClient) => void) {
    this.#fd = fd;
    this.#handlers = handlers;
    this.#closed = closed;
    this.#output = new Output(fd);
    watch(fd, EPOLLIN | EPOLLOUT | EPOLLET, (events) => {
      if (events & EPOLLOUT) this.#attempt(() => this.#flush());
      this.#read();
    });
  }

  /** Sends a frame; a client that does not read them is sent away. */
  send(frame: Uint8Array): void {
    if (!this.#isOpen || this.#isLeaving) return;
    this.#attempt(() => this.#output.write(frame));
    if (this.#output.keptBytes > MAX_WAITING_BYTES) this.close();
  }

  /** Sends the last frame, and closes the connection when all is sent. */
  leave(frame: Uint8Array): void {
    this.send(frame);
    this.#isLeaving = true;
    this.#attempt(() => this.#flush());
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.isSubscribed = false;
    unwatch(this.#fd);
    this.#output.discard();
    sys.close(this.#fd);
    this.#closed(this);
  }

  #flush(): void {
    if (this.#isOpen && this.#output.flush() && this.#isLeaving) this.close();
  }

  /** Does what fails when the client has gone. */
  #attempt(task: () => void): void {
    if (!this.#isOpen) return;
    try {
      task();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.close();
    }
  }

  #read(): void {
    for (let reads = 0; this.#isOpen && this.#pieces === 0; reads++) {
      if (reads === READS_AT_ONCE) {
        callSoon(() => this.#read());
        return;
      }
      const bytes = new Uint8Array(READ_BYTES);
      let count = 0;
      this.#attempt(() => {
        count = sys.read(this.#fd, bytes, 0, bytes.length);
      });
      if (count < 0) return;
      if (count === 0) this.close();
      else this.#take(bytes.subarray(0, count));
    }
  }

  #take(bytes: Uint8Array): void {
    try {
      for (const request of this.#decoder.push(bytes)) this.#serve(request);
    } catch (error) {
      if (!(error instanceof AttachProtocolError)) throw error;
      for (const request of error.messages as readonly AttachRequest[]) this.#serve(request);
      this.close();
    }
  }

  #serve(request: AttachRequest): void {
    if (request.kind === "subscribe") this.isSubscribed = request.output;
    else if (request.kind === "resize") this.#handlers.resize(request.rows, request.columns);
    else if (request.kind === "signal") this.#handlers.signal(request.signal);
    else if (request.data.length === 0) this.#handlers.endStdin();
    else this.#giveStdin(request.data);
  }

  #giveStdin(data: Uint8Array): void {
    this.#pieces++;
    this.#handlers.giveStdin(data, () => {
      this.#pieces--;
      // Not from within the read that gave it.
      if (this.#pieces === 0) callSoon(() => this.#read());
    });
  }
}
