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
  /** it has hung up; what it had sent before is still to be read */
  #isDeaf = false;
  /** it wants output */
  isSubscribed = false;

  /** @param closed told once, when the connection has been closed */
  constructor(fd: number, handlers: AttachHandlers, closed: (client: AttachClient) => void) {
    this.#fd = fd;
    this.#handlers = handlers;
    this.#closed = closed;
    this.#output = new Output(fd);
    watch(fd, EPOLLIN | EPOLLOUT | EPOLLET, (events) => {
      if (events & EPOLLOUT) this.#flush();
      this.#read();
    });
  }

  /** Sends a frame; a client that does not read them is sent away. */
  send(frame: Uint8Array): void {
    if (!this.#isOpen || this.#isDeaf || this.#isLeaving) return;
    this.#try(() => this.#output.write(frame));
    if (this.#output.keptBytes > MAX_WAITING_BYTES) this.close();
  }

  /** Sends the last frame, and closes the connection when all is sent. */
  leave(frame: Uint8Array): void {
    this.send(frame);
    this.#isLeaving = true;
    this.#flush();
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
    if (!this.#isOpen) return;
    this.#try(() => this.#output.flush());
    if (this.#isLeaving && !this.#output.blocked) this.close();
  }

  /** Writes what fails when the client has hung up. */
  #try(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#isDeaf = true;
      this.#output.discard();
    }
  }

  #read(): void {
    for (let reads = 0; this.#isOpen && this.#pieces === 0; reads++) {
      if (reads === READS_AT_ONCE) {
        callSoon(() => this.#read());
        return;
      }
      const bytes = new Uint8Array(READ_BYTES);
      const count = this.#readInto(bytes);
      if (count < 0) return;
      if (count === 0) this.close();
      else this.#take(bytes.subarray(0, count));
    }
  }

  /** Bytes read; -1 when there are none yet, 0 when the client has gone. */
  #readInto(bytes: Uint8Array): number {
    try {
      return sys.read(this.#fd, bytes, 0, bytes.length);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return 0;
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
