/**
 * Whoever takes the agent's port over may find the session of the owner before, even in the middle of a frame: the guest
 * need not have seen that it has gone. So the new owner says that it is new, in words that our own agent knows, ends
 * whatever session there is, and asks for a sign of life with a number that only it can have chosen. What comes before
 * the answer was for another.
 */

import { NEW_HOST } from "./new-host.ts";

/** Frames of yamux without a stream: version 0, type, flags, stream 0, and what they tell. */
const PING = [0, 2, 0, 1, 0, 0, 0, 0];
const PONG = [0, 2, 0, 2, 0, 0, 0, 0];
/** GOAWAY with the reason "internal error": a session that is told this is over. */
const END_SESSION = [0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
const FRAME_BYTES = 12;

/** See the head of the file. The owner sends what it is told to, and feeds what comes. */
export class TakeOver {
  /** bytes of the number by which an answer is known */
  static readonly NUMBER_BYTES = 4;
  /** what is sent first, once */
  readonly greeting: Uint8Array = Uint8Array.from([...NEW_HOST, ...END_SESSION]);
  /** what is sent then; again when no answer comes, as it may have been dropped with the session before */
  readonly question: Uint8Array;
  readonly #answer: Uint8Array;
  #kept = new Uint8Array(0);

  /** @param number random bytes */
  constructor(number: Uint8Array) {
    this.question = Uint8Array.from([...PING, ...number]);
    this.#answer = Uint8Array.from([...PONG, ...number]);
  }

  /** Takes bytes, in pieces of any size. Gives those behind the answer, once it is there. */
  push(bytes: Uint8Array): Uint8Array | undefined {
    const all = new Uint8Array(this.#kept.length + bytes.length);
    all.set(this.#kept);
    all.set(bytes, this.#kept.length);
    const at = this.#find(all);
    if (at !== -1) return all.subarray(at + FRAME_BYTES);
    this.#kept = all.slice(Math.max(0, all.length - FRAME_BYTES + 1));
    return undefined;
  }

  /** Looks for the last byte: whatever it is, it is found faster than a beginning of zeros. */
  #find(bytes: Uint8Array): number {
    const last = this.#answer[FRAME_BYTES - 1] ?? 0;
    let end = bytes.indexOf(last, FRAME_BYTES - 1);
    for (; end !== -1; end = bytes.indexOf(last, end + 1)) {
      const start = end - FRAME_BYTES + 1;
      if (this.#answer.every((byte, at) => bytes[start + at] === byte)) return start;
    }
    return -1;
  }
}
