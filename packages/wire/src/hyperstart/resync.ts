import { readU32 } from "../big-endian.ts";
import { Command } from "./commands.ts";
import { ControlDecoder, type ControlFrame, encodeControl } from "./control-frame.ts";
import { FrameError } from "./frame-error.ts";
import { CONTROL_HEADER_BYTES, MAX_EVENT_BYTES } from "./limits.ts";
import { encodeStream } from "./stream-frame.ts";

/*
 * Whoever takes the channels over may begin in the middle of a frame: what the process before had received of it is lost.
 * And the agent may still have to answer what that process, or a client of its relay, had asked. So the new owner asks for
 * something that only it can have asked for, and takes frames from there on.
 */

/** Most bytes kept before the answer on the control channel. */
const MAX_KEPT_BYTES = 64 * 1024;
/** Head of the answer to GETVERSION, the only one with four bytes: ACK and the total length. */
const VERSION_HEAD = Uint8Array.of(0, 0, 0, Command.ACK, 0, 0, 0, 12);
const VERSION_BYTES = 4;
/** Random questions behind the first: none of two owners asks the same. */
const RANDOM_QUESTIONS = 15;

/** Random bytes that {@link makeStreamMarker} takes. */
export const MARKER_RANDOM_BYTES = 6;
/** Random bytes that a {@link ControlResync} takes. */
export const RESYNC_RANDOM_BYTES = 2;

/** A frame that the agent gives back on the stream channel: it says of every unknown stream that it has ended. */
export function makeStreamMarker(random: Uint8Array): Uint8Array {
  const high = ((random[0] ?? 0) << 8) | (random[1] ?? 0);
  return encodeStream(1 + (high >>> 1) * 2 ** 32 + readU32(random, 2));
}

/** Drops what comes before a marker on the stream channel: it is output for a reader that has gone. */
export class StreamResync {
  readonly #marker: Uint8Array;
  #kept = new Uint8Array(0);

  constructor(marker: Uint8Array) {
    this.#marker = marker;
  }

  /** @returns what comes after the marker; undefined: it has not come yet */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = this.#kept.length === 0 ? chunk : join(this.#kept, chunk);
    const at = findBytes(bytes, this.#marker, 0);
    if (at !== -1) return bytes.subarray(at + this.#marker.length);
    this.#kept = new Uint8Array(bytes.subarray(Math.max(0, bytes.length - this.#marker.length + 1)));
    return undefined;
  }
}

/** What a control channel has brought until it was understood. */
export interface ControlPrefix {
  /** whole frames before the last answer: events that nobody has heard, replies to one who has gone */
  readonly frames: readonly ControlFrame[];
  /** what comes after it */
  readonly rest: Uint8Array;
}

/**
 * Waits for answers that nobody else waits for. No command's answer holds a number of the host's choice, but PING's can be
 * told from GETVERSION's: a random row of the two is the number. What came before is kept, as it may hold exits.
 */
export class ControlResync {
  /** which of the questions are GETVERSION */
  readonly #row: readonly boolean[];
  #kept: Uint8Array = new Uint8Array(0);

  constructor(random: Uint8Array) {
    const isSet = (bit: number) => (((random[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1;
    this.#row = [true, ...Array.from({ length: RANDOM_QUESTIONS }, (_, bit) => isSet(bit))];
  }

  /** The questions, to be sent in one write. */
  get questions(): Uint8Array {
    return this.#row
      .map((isVersion) => encodeControl(isVersion ? Command.GETVERSION : Command.PING))
      .reduce(join);
  }

  /**
   * @returns undefined: the answers have not come yet
   * @throws FrameError ERR_FRAME_LOST when they do not come for too long
   */
  push(chunk: Uint8Array): ControlPrefix | undefined {
    this.#kept = join(this.#kept, chunk);
    for (let at = -1; ; ) {
      at = findBytes(this.#kept, VERSION_HEAD, at + 1);
      if (at === -1) break;
      const answers = this.#matchRow(this.#kept.subarray(at));
      if (answers)
        return { ...answers, frames: [...salvageFrames(this.#kept.subarray(0, at)), ...answers.frames] };
    }
    if (this.#kept.length <= MAX_KEPT_BYTES) return undefined;
    throw new FrameError("ERR_FRAME_LOST", "a lot has come, but not the answers to what was asked");
  }

  /** @returns undefined when the answers do not begin here, or are not all there */
  #matchRow(bytes: Uint8Array): ControlPrefix | undefined {
    const frames: ControlFrame[] = [];
    let answered = 0;
    for (let at = 0; at + CONTROL_HEADER_BYTES <= bytes.length; ) {
      const end = at + readU32(bytes, at + 4);
      if (end < at + CONTROL_HEADER_BYTES || end > bytes.length) return undefined;
      const payload = new Uint8Array(bytes.subarray(at + CONTROL_HEADER_BYTES, end));
      const frame = { command: readU32(bytes, at), payload };
      at = end;
      frames.push(frame);
      if (!ANSWERS.includes(frame.command)) continue;
      const length = this.#row[answered++] ? VERSION_BYTES : 0;
      if (frame.command !== Command.ACK || payload.length !== length) return undefined;
      if (answered === this.#row.length) return { frames, rest: bytes.subarray(at) };
    }
    return undefined;
  }
}

const ANSWERS: readonly number[] = [Command.ACK, Command.ERROR];
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

function join(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** Where some bytes begin in others, not before `from`; -1: nowhere. */
function findBytes(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
