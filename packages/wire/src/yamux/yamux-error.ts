/**
 * Why a session ended, or why it did not do what it was asked.
 * - `ERR_YAMUX_PROTOCOL`: the peer sent a frame of another version or of an unknown type, began a stream with a
 *   number that is not its to give or in use, or went on with a stream that it had ended.
 * - `ERR_YAMUX_WINDOW`: the peer sent more than the stream's window, or gave a window above 2^32 − 1.
 * - `ERR_YAMUX_FLOOD`: the peer wants answers and does not read them.
 * - `ERR_YAMUX_GO_AWAY`: the peer ended the session because of an error.
 * - `ERR_YAMUX_ENDED`: the session, or the side of the stream, was ended before.
 * - `ERR_YAMUX_REFUSED`: no stream can be opened now: the peer takes no more, or too many are open.
 */
export type YamuxErrorCode =
  | "ERR_YAMUX_PROTOCOL"
  | "ERR_YAMUX_WINDOW"
  | "ERR_YAMUX_FLOOD"
  | "ERR_YAMUX_GO_AWAY"
  | "ERR_YAMUX_ENDED"
  | "ERR_YAMUX_REFUSED";

/** A session that cannot go on, or a call that it refuses. */
export class YamuxError extends Error {
  override readonly name = "YamuxError";
  /** stable reason */
  readonly code: YamuxErrorCode;

  constructor(code: YamuxErrorCode, problem: string) {
    super(problem);
    this.code = code;
  }
}
