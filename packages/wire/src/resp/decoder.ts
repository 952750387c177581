/** An answer of a server that speaks the Redis protocol (RESP 2). */
export type RespReply =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "nothing" };

/** bytes of a line at most, its end not counted */
const MAX_LINE_BYTES = 1024;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Takes the answers out of what a server sends. Arrays are refused: no command of ours is answered by one.
 * @throws Error from `feed` when the bytes are no answer or one is too large; nothing can be read after it
 */
export class RespDecoder {
  readonly #maxBulkBytes: number;
  #line: number[] = [];
  /** bytes that are awaited, the two of the end of line included */
  #bulk: Uint8Array | undefined;
  #filled = 0;

  /** @param maxBulkBytes most bytes that one answer may have */
  constructor(maxBulkBytes: number) {
    this.#maxBulkBytes = maxBulkBytes;
  }

  /** Takes the next bytes, cut anywhere, and gives the answers that are complete by them. */
  feed(chunk: Uint8Array): RespReply[] {
    const replies: RespReply[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#bulk) {
        const piece = chunk.subarray(at, at + this.#bulk.length - this.#filled);
        this.#bulk.set(piece, this.#filled);
        this.#filled += piece.length;
        at += piece.length;
        if (this.#filled === this.#bulk.length) replies.push(this.#endBulk(this.#bulk));
        continue;
      }
      const byte = chunk[at] ?? 0;
      at += 1;
      const reply = this.#takeByte(byte);
      if (reply) replies.push(reply);
    }
    return replies;
  }

  #takeByte(byte: number): RespReply | undefined {
    this.#line.push(byte);
    if (byte !== LF) {
      if (this.#line.length > MAX_LINE_BYTES) throw new Error(`a line of more than ${MAX_LINE_BYTES} bytes`);
      return undefined;
    }
    if (this.#line.at(-2) !== CR) throw new Error("a line that ends without a carriage return");
    const line = new TextDecoder().decode(Uint8Array.from(this.#line.slice(0, -2)));
    this.#line = [];
    return this.#readLine(line);
  }

  #readLine(line: string): RespReply | undefined {
    const [kind, rest] = [line.slice(0, 1), line.slice(1)];
    if (kind === "+") return { kind: "text", text: rest };
    if (kind === "-") return { kind: "error", text: rest };
    if (kind === ":") return { kind: "number", value: readNumber(rest) };
    if (kind !== "$") throw new Error(`an answer that begins with ${JSON.stringify(kind)}`);
    const length = readNumber(rest);
    if (length === -1) return { kind: "nothing" };
    if (length < 0 || length > this.#maxBulkBytes) throw new Error(`an answer of ${length} bytes`);
    this.#bulk = new Uint8Array(length + 2);
    this.#filled = 0;
    return undefined;
  }

  #endBulk(bulk: Uint8Array): RespReply {
    const length = bulk.length - 2;
    if (bulk[length] !== CR || bulk[length + 1] !== LF)
      throw new Error("bytes that are longer than they should be");
    this.#bulk = undefined;
    return { kind: "bytes", bytes: bulk.subarray(0, length) };
  }
}

function readNumber(text: string): number {
  const value = Number(text);
  if (!/^-?\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
    throw new Error(`${JSON.stringify(text)} for a number`);
  return value;
}
