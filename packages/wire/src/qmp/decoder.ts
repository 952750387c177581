import type { QmpMessage } from "./message.ts";
import { readMessage } from "./message.ts";

/** Longest message taken unless told otherwise, in bytes; the longest honest one here is a few KiB. */
export const MAX_QMP_MESSAGE_BYTES = 1024 * 1024;

/** Smallest buffer for a message that came in pieces, in bytes. */
const MIN_BUFFER_BYTES = 512;

const NEWLINE = 0x0a;

/**
 * Why a decoder stopped.
 * - `ERR_QMP_LENGTH`: a message is longer than the decoder's maximum.
 * - `ERR_QMP_SYNTAX`: a line is not JSON in UTF-8, or JSON that is no QMP message.
 * - `ERR_QMP_STOPPED`: bytes were pushed after such a line.
 */
export type QmpErrorCode = "ERR_QMP_LENGTH" | "ERR_QMP_SYNTAX" | "ERR_QMP_STOPPED";

/** The peer does not speak QMP, or not any more. The connection is lost. */
export class QmpProtocolError extends Error {
  override readonly name = "QmpProtocolError";
  /** stable reason */
  readonly code: QmpErrorCode;
  /** complete messages of the same push that came before the bad one, oldest first */
  readonly messages: readonly QmpMessage[];

  constructor(code: QmpErrorCode, problem: string, messages: readonly QmpMessage[] = []) {
    super(problem);
    this.code = code;
    this.messages = messages;
  }
}

/**
 * Decoder of what QEMU says on a QMP socket: JSON objects, each on a line of its own (`pretty=off`, the
 * default). Memory held is bounded by twice the bytes arrived of one line, and by `maxMessageBytes`.
 */
export class QmpDecoder {
  readonly #maxMessageBytes: number;
  readonly #text = new TextDecoder("utf-8", { fatal: true });
  #pending = new Uint8Array(0);
  #pendingBytes = 0;
  #stopped = false;

  /** `maxMessageBytes`: longest line taken, without its newline; 1 MiB by default. */
  constructor(options: { maxMessageBytes?: number } = {}) {
    this.#maxMessageBytes = options.maxMessageBytes ?? MAX_QMP_MESSAGE_BYTES;
  }

  /** bytes held of a message that is not complete yet */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Takes the next bytes, in pieces of any size, and gives the messages they complete. The chunk may be reused
   * afterwards.
   * @throws QmpProtocolError when a line is too long or no message; its `messages` are those before it.
   */
  push(chunk: Uint8Array): QmpMessage[] {
    const messages: QmpMessage[] = [];
    if (this.#stopped) this.#stop("ERR_QMP_STOPPED", "the connection was lost before these bytes", messages);
    let at = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, at)) {
      this.#readLine(this.#joinLine(chunk, at, end, messages), messages);
      at = end + 1;
    }
    if (at < chunk.length) this.#keep(chunk, at, chunk.length, messages);
    return messages;
  }

  /** The whole line that ends in this chunk; in place when it also began there. */
  #joinLine(chunk: Uint8Array, start: number, end: number, messages: QmpMessage[]): Uint8Array {
    if (this.#pendingBytes === 0) {
      if (end - start > this.#maxMessageBytes) this.#stopTooLong(messages);
      return chunk.subarray(start, end);
    }
    this.#keep(chunk, start, end, messages);
    const line = this.#pending.subarray(0, this.#pendingBytes);
    this.#pendingBytes = 0;
    return line;
  }

  #keep(chunk: Uint8Array, start: number, end: number, messages: QmpMessage[]): void {
    const needed = this.#pendingBytes + (end - start);
    if (needed > this.#maxMessageBytes) this.#stopTooLong(messages);
    if (needed > this.#pending.length) {
      const roomy = Math.max(needed, this.#pending.length * 2, MIN_BUFFER_BYTES);
      const larger = new Uint8Array(Math.min(roomy, this.#maxMessageBytes));
      larger.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = larger;
    }
    this.#pending.set(chunk.subarray(start, end), this.#pendingBytes);
    this.#pendingBytes = needed;
  }

  #readLine(line: Uint8Array, messages: QmpMessage[]): void {
    let json: unknown;
    try {
      const text = this.#text.decode(line).trim();
      if (text === "") return;
      json = JSON.parse(text);
    } catch {
      this.#stop("ERR_QMP_SYNTAX", "a QMP message is not JSON in UTF-8", messages);
    }
    const message = readMessage(json);
    if (typeof message === "string")
      this.#stop("ERR_QMP_SYNTAX", `a QMP message is bad: ${message}`, messages);
    messages.push(message);
  }

  #stopTooLong(messages: QmpMessage[]): never {
    const problem = `a QMP message is longer than ${this.#maxMessageBytes} bytes`;
    return this.#stop("ERR_QMP_LENGTH", problem, messages);
  }

  #stop(code: QmpErrorCode, problem: string, messages: QmpMessage[]): never {
    this.#stopped = true;
    this.#pending = new Uint8Array(0);
    this.#pendingBytes = 0;
    throw new QmpProtocolError(code, problem, messages);
  }
}
