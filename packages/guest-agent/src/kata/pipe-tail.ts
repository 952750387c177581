/** Output of a process on its way to the host: in a pipe of the agent's own, behind an answer that is in memory. */

import type { Tail, TtrpcServer, TtrpcServices } from "@husk/wire/ttrpc";

/** See the head of the file. Whoever has one calls one of its methods. */
export interface PipeTail extends Tail {
  /** end of the pipe to move the bytes from, all of them */
  readonly fd: number;
  /** The bytes have been moved. */
  moved(): void;
  /** The bytes, for who cannot move them. */
  read(): Uint8Array;
}

/** A message of one field of bytes, which are a tail. */
export class TailedMessage {
  /** number of the field */
  readonly field: number;
  readonly tail: PipeTail;

  constructor(field: number, tail: PipeTail) {
    this.field = field;
    this.tail = tail;
  }
}

/** Services whose answers may have such tails. */
export type KataServices = TtrpcServices<PipeTail>;
/** A server of them. */
export type KataServer = TtrpcServer<PipeTail>;
