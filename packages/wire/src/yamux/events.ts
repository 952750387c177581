import type { YamuxStream } from "./stream.ts";
import type { YamuxError } from "./yamux-error.ts";

/** What became of the bytes fed, oldest first. */
export type YamuxEvent =
  /** the peer opened a stream: `accept()` or `reset()` it */
  | { kind: "stream"; stream: YamuxStream }
  /** the peer accepted a stream that we opened */
  | { kind: "accepted"; stream: YamuxStream }
  /** data, a view of the chunk fed: use or copy them before its memory is written again, then `consume()` */
  | { kind: "data"; stream: YamuxStream; data: Uint8Array }
  /** the peer ended its side: no data follow. One with hashicorp's library does not read any more, either: `close()` */
  | { kind: "end"; stream: YamuxStream }
  /** the stream is over both ways: the peer reset or refused it, or the session ended */
  | { kind: "reset"; stream: YamuxStream }
  /** a write that took less than all may go on; may come more often than needed */
  | { kind: "writable"; stream: YamuxStream }
  /** the answer to `ping()` */
  | { kind: "pong"; id: number }
  /** the peer opens and takes no more streams; those that are open go on */
  | { kind: "goAway" }
  /** the session is over; always the last event. Close the connection */
  | { kind: "failed"; error: YamuxError };
