import { concatBytes } from "./concat-bytes.ts";
import type { KataServer } from "./pipe-tail.ts";

/** Bytes of requests after which the answers are looked at: what a short request is answered with may be long. */
const SLICE_BYTES = 16 * 1024;

const NOTHING = new Uint8Array();

/**
 * Requests on their way to a server, which answers all that it is fed: held back while those who asked do not take its
 * answers.
 */
export class Intake {
  readonly #server: KataServer;
  readonly #isFull: () => boolean;
  #held: Uint8Array = NOTHING;

  /** @param isFull whether too many bytes of answers wait */
  constructor(server: KataServer, isFull: () => boolean) {
    this.#server = server;
    this.#isFull = isFull;
  }

  /** bytes that are held back */
  get heldBytes(): number {
    return this.#held.length;
  }

  /**
   * Takes bytes, which may be overwritten afterwards; gives how many were fed, of these and those held before.
   *
   * @throws TtrpcProtocolError when they are not ttrpc
   */
  push(bytes: Uint8Array): number {
    return this.#feed(this.#held.length === 0 ? bytes : concatBytes(this.#held, bytes), bytes);
  }

  /** Feeds what was held back, as far as the answers are taken; gives how many bytes. @throws TtrpcProtocolError */
  resume(): number {
    return this.#held.length === 0 ? 0 : this.#feed(this.#held, NOTHING);
  }

  #feed(bytes: Uint8Array, borrowed: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && !this.#isFull()) {
      this.#server.feed(bytes.subarray(at, at + SLICE_BYTES));
      at = Math.min(at + SLICE_BYTES, bytes.length);
    }
    const left = bytes.subarray(at);
    this.#held = left.length > 0 && bytes === borrowed ? left.slice() : left;
    return at;
  }
}
