import { readU32, writeU32 } from "../big-endian.ts";
import { FrameSplitter } from "./frame-splitter.ts";
import { CONTROL_HEADER_BYTES, MAX_CONTROL_FRAME_BYTES, MAX_U32 } from "./limits.ts";

/** One message of the control channel. */
export interface ControlFrame {
  /** command code as it came, maybe unknown; see Command */
  command: number;
  /** bytes after the header, a copy of its own: valid for ever, whatever becomes of the chunk */
  payload: Uint8Array;
}

/**
 * Decoder of the control channel, for either side.
 *
 * Wire layout: u32 command, u32 total length including these 8 bytes, payload; all big endian. Memory held is
 * bounded by twice the bytes that have arrived of one frame, and by `maxFrameBytes`.
 */
export class ControlDecoder {
  readonly #splitter: FrameSplitter<ControlFrame>;

  /** `maxFrameBytes`: longest frame taken, header included; 16 MiB by default. */
  constructor(options: { maxFrameBytes?: number } = {}) {
    const { maxFrameBytes = MAX_CONTROL_FRAME_BYTES } = options;
    const readLength = (bytes: Uint8Array, start: number) => readU32(bytes, start + 4);
    const shape = { headerBytes: CONTROL_HEADER_BYTES, maxFrameBytes, readLength };
    this.#splitter = new FrameSplitter(shape, (bytes, start, end) => ({
      command: readU32(bytes, start),
      // Not bytes.slice(): on a Node Buffer that is a view, not a copy.
      payload: new Uint8Array(bytes.subarray(start + CONTROL_HEADER_BYTES, end)),
    }));
  }

  /** bytes held of a frame that is not complete yet */
  get pendingBytes(): number {
    return this.#splitter.pendingBytes;
  }

  /**
   * Takes the next bytes, in pieces of any size, and gives the frames they complete. The chunk may be reused
   * afterwards.
   * @throws FrameError with `code` ERR_FRAME_LENGTH at a bad length; its `frames` are the complete ones before
   *   it. Then ERR_FRAME_STOPPED at every push until `reset()`.
   */
  push(chunk: Uint8Array): ControlFrame[] {
    return this.#splitter.push(chunk);
  }

  /** Drops a frame begun and takes bytes again, as for a new connection. */
  reset(): void {
    this.#splitter.reset();
  }
}

/**
 * Encodes one control frame. Text goes out as UTF-8.
 *
 * A host must hand the result to one `write`: the C agent dies when a header comes without its payload.
 * @throws RangeError when the command is no u32 or the frame's length would not fit into one.
 */
export function encodeControl(command: number, payload?: Uint8Array | string): Uint8Array {
  if (!Number.isInteger(command) || command < 0 || command > MAX_U32) {
    throw new RangeError("a command code is an unsigned 32-bit number");
  }
  const body = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const total = CONTROL_HEADER_BYTES + (body?.length ?? 0);
  if (total > MAX_U32) throw new RangeError("the payload is too long for a control frame");
  const frame = new Uint8Array(total);
  writeU32(frame, 0, command);
  writeU32(frame, 4, total);
  if (body) frame.set(body, CONTROL_HEADER_BYTES);
  return frame;
}
