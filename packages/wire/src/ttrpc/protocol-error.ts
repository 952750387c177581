import type { TtrpcFrame } from "./frame.ts";

/**
 * A byte stream that is not ttrpc, or not any more: there is no way to find the next message, so the connection is
 * lost.
 */
export class TtrpcProtocolError extends Error {
  override readonly name = "TtrpcProtocolError";
  /** stable reason: a header has a bit set that must be 0, or bytes came after such a header */
  readonly code = "ERR_TTRPC_LENGTH";
  /** complete messages of the same push that came before, oldest first */
  readonly frames: readonly TtrpcFrame[];

  constructor(problem: string, frames: readonly TtrpcFrame[] = []) {
    super(problem);
    this.frames = frames;
  }
}
