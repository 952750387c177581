import { randomInt } from "node:crypto";
import {
  Command,
  ControlDecoder,
  type ControlFrame,
  encodeStream,
  MAX_EVENT_BYTES,
} from "@husk/wire/hyperstart";
import { HuskError } from "../../errors/index.ts";

/**
 * Whoever takes the channels over from a process that was killed may begin in the middle of a frame: what that process
 * had received of it is lost. So the new owner asks for something that it recognises, and takes frames from there on.
 */

/** Most bytes kept before the answer on the control channel. */
const MAX_KEPT_BYTES = 64 * 1024;
/** Head of the answer to GETVERSION, the only one with four bytes: ACK and the total length. */
const VERSION_HEAD = Buffer.from([0, 0, 0, Command.ACK, 0, 0, 0, 12]);

/** A frame that the agent gives back on the stream channel: it says of every unknown stream that it has ended. */
export function makeStreamMarker(): Uint8Array {
  return encodeStream(1 + randomInt(2 ** 47));
}

/** Drops what comes before a marker on the stream channel: it is output for a reader that has gone. */
export class StreamResync {
  readonly #marker: Uint8Array;
  #kept: Buffer = Buffer.alloc(0);

  constructor(marker: Uint8Array) {
    this.#marker = marker;
  }

  /** @returns what comes after the marker; undefined: it has not come yet */
  push(chunk: Buffer): Buffer | undefined {
    const bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    const at = bytes.indexOf(this.#marker);
    if (at !== -1) return bytes.subarray(at + this.#marker.length);
    this.#kept = Buffer.from(bytes.subarray(Math.max(0, bytes.length - this.#marker.length + 1)));
    return undefined;
  }
}

/** What a control channel has brought until it was understood. */
export interface ControlPrefix {
  /** whole frames before the answer: events that nobody has heard, replies to one who has gone */
  readonly frames: readonly ControlFrame[];
  /** the answer, and what comes after it */
  readonly rest: Buffer;
}

/** Waits for the answer to GETVERSION on the control channel. What came before it is kept: it may hold exits. */
export class ControlResync {
  #kept: Buffer = Buffer.alloc(0);

  /**
   * @returns undefined: the answer has not come yet
   * @throws HuskError ERR_AGENT_PROTOCOL when it does not come for too long
   */
  push(chunk: Buffer): ControlPrefix | undefined {
    this.#kept = Buffer.concat([this.#kept, chunk]);
    const at = this.#kept.indexOf(VERSION_HEAD);
    if (at !== -1)
      return { frames: salvageFrames(this.#kept.subarray(0, at)), rest: this.#kept.subarray(at) };
    if (this.#kept.length <= MAX_KEPT_BYTES) return undefined;
    throw new HuskError("ERR_AGENT_PROTOCOL", "the guest sent a lot, but not its version");
  }
}

const FROM_GUEST: readonly number[] = [
  Command.NEXT,
  Command.ACK,
  Command.ERROR,
  Command.READY,
  Command.PROCESSASYNCEVENT,
];

/** The frames in some bytes that end with a frame, but may begin within one. */
export function salvageFrames(bytes: Uint8Array): readonly ControlFrame[] {
  // No frame that an agent sends unasked is longer than an event.
  for (let start = 0; start <= Math.min(bytes.length, MAX_EVENT_BYTES); start++) {
    const frames = splitFrames(bytes.subarray(start));
    if (frames) return frames;
  }
  return [];
}

function splitFrames(bytes: Uint8Array): readonly ControlFrame[] | undefined {
  const decoder = new ControlDecoder({ maxFrameBytes: MAX_KEPT_BYTES });
  try {
    const frames = decoder.push(bytes);
    const isWhole = decoder.pendingBytes === 0 && frames.every(({ command }) => FROM_GUEST.includes(command));
    return isWhole ? frames : undefined;
  } catch {
    return undefined;
  }
}
