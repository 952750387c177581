import { readU32 } from "../big-endian.ts";
import { FrameError } from "../hyperstart/frame-error.ts";
import { FrameSplitter } from "../hyperstart/frame-splitter.ts";
import { PayloadError } from "../hyperstart/payload-error.ts";
import { ATTACH_HEADER_BYTES, MAX_ATTACH_PAYLOAD_BYTES } from "./limits.ts";
import { AttachProtocolError } from "./protocol-error.ts";

/** Makes a message out of a frame. Throws PayloadError. */
type ReadMessage<Message> = (type: number, payload: Uint8Array) => Message;

const SHAPE = {
  headerBytes: ATTACH_HEADER_BYTES,
  readLength: (bytes: Uint8Array, start: number) => ATTACH_HEADER_BYTES + readU32(bytes, start + 4),
  maxFrameBytes: ATTACH_HEADER_BYTES + MAX_ATTACH_PAYLOAD_BYTES,
};

/**
 * Decoder of one direction of the attach protocol.
 *
 * Wire layout: u8 type, three bytes of zero, u32 big-endian payload length, payload.
 */
export class AttachDecoder<Message> {
  readonly #splitter: FrameSplitter<Message>;
  /** complete messages of the push that is going on */
  #messages: Message[] = [];
  #failed = false;

  constructor(readMessage: ReadMessage<Message>) {
    this.#splitter = new FrameSplitter(SHAPE, (bytes, start, end) => {
      if (bytes[start + 1] || bytes[start + 2] || bytes[start + 3])
        throw new PayloadError("", "the bytes behind a frame's type are not zero");
      const message = readMessage(bytes[start] ?? 0, bytes.subarray(start + ATTACH_HEADER_BYTES, end));
      this.#messages.push(message);
      return message;
    });
  }

  /** bytes held of a frame that is not complete yet */
  get pendingBytes(): number {
    return this.#splitter.pendingBytes;
  }

  /**
   * Takes the next bytes, in pieces of any size, and gives the messages they complete. Data in them may be views of the
   * chunk: use or copy them before its memory is used again.
   * @throws AttachProtocolError at what cannot be a message; its `messages` are those before. Then at every push.
   */
  push(chunk: Uint8Array): Message[] {
    if (this.#failed) throw new AttachProtocolError("the connection was lost before these bytes");
    this.#messages = [];
    try {
      return this.#splitter.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError || error instanceof PayloadError)) throw error;
      this.#failed = true;
      this.#splitter.reset();
      throw new AttachProtocolError(`a bad attach frame: ${error.message}`, this.#messages);
    } finally {
      this.#messages = [];
    }
  }
}
