import assert from "node:assert/strict";
import { cutRandomly } from "./mutate.ts";
import type { Random } from "./random.ts";

/** A decoder as all of wire's are. */
export interface Decoder<Message> {
  push(chunk: Uint8Array): Message[];
  readonly pendingBytes: number;
}

/** What a decoder made of a byte string. */
export interface Outcome<Message> {
  messages: Message[];
  /** code of the error it ended with */
  code?: string;
}

/**
 * Gives the bytes to one decoder whole and to another in random pieces, and checks that both say the same, fail
 * with nothing but the protocol's own error, and never hold more than `maxBytes`.
 */
export function decodeBothWays<Message>(
  bytes: Uint8Array,
  makeDecoder: () => Decoder<Message>,
  readError: (error: unknown) => { code: string; before: readonly Message[] } | undefined,
  maxBytes: number,
  random: Random,
): Outcome<Message> {
  const decode = (pieces: readonly Uint8Array[]): Outcome<Message> => {
    const decoder = makeDecoder();
    const messages: Message[] = [];
    for (const piece of pieces) {
      try {
        messages.push(...decoder.push(piece));
      } catch (error) {
        const known = readError(error);
        if (known === undefined) throw error;
        return { messages: [...messages, ...known.before], code: known.code };
      }
      assert.ok(decoder.pendingBytes <= maxBytes, "more bytes held than allowed");
    }
    return { messages };
  };
  const whole = decode([bytes]);
  assert.deepEqual(decode(cutRandomly(bytes, random)), whole);
  return whole;
}
