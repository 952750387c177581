/**
 * The last bytes of an answer, where they are: to be sent behind the rest of it without having been looked at. Whoever
 * has one either sends all of it or gives it back.
 */
export interface Tail {
  /** bytes */
  readonly length: number;
  /** Nobody wants it any more: it may be the beginning of another answer. */
  giveBack(): void;
}

/** An answer whose last bytes are elsewhere. */
export interface TailedAnswer<T extends Tail = Tail> {
  /** the method's own message but for those bytes, which are the end of its last field */
  readonly head: Uint8Array;
  readonly tail: T;
}
