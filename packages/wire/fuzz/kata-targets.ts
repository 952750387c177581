import assert from "node:assert/strict";
import * as kata from "../src/kata/index.ts";
import {
  decodeMessage,
  encodeMessage,
  MAX_ELEMENTS,
  type Message,
  type MessageType,
  ProtobufError,
} from "../src/protobuf/index.ts";
import { cutRandomly, mutateBytes } from "./mutate.ts";
import type { Random } from "./random.ts";
import type { Target } from "./run.ts";

/** All messages of the Kata agent's API, by their names. */
const types = new Map<string, MessageType<Message>>(
  Object.values(kata).flatMap((value): [string, MessageType<Message>][] =>
    "layout" in value ? [[value.name, value]] : [],
  ),
);

/** A kept message, whose type's name and a NUL stand before it. */
export function splitSeed(seed: Uint8Array): { type: MessageType<Message>; bytes: Uint8Array } {
  const end = seed.indexOf(0);
  const type = types.get(Buffer.from(seed.subarray(0, end)).toString());
  if (type === undefined) throw new Error("a kept message has no type");
  return { type, bytes: seed.slice(end + 1) };
}

/** What must hold for any bytes: a message that can be written again and is then the same, or an error with a text. */
function tryBytes(type: MessageType<Message>, bytes: Uint8Array): void {
  let message: Message;
  try {
    message = decodeMessage(type, bytes);
  } catch (error) {
    assert.ok(error instanceof ProtobufError, "an error that is not the codec's own");
    assert.match(error.code, /^ERR_PROTOBUF_[A-Z]+$/);
    assert.ok(error.message.startsWith(type.name) && error.message.length < 300);
    return;
  }
  assert.ok(countElements(message) <= MAX_ELEMENTS, "more elements than allowed");
  const again = encodeMessage(type, message);
  assert.deepEqual(decodeMessage(type, again), message);
  assert.deepEqual(encodeMessage(type, decodeMessage(type, again)), again);
}

function countElements(value: unknown): number {
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return 0;
  const inner = value instanceof Map || Array.isArray(value) ? [...value.values()] : undefined;
  const parts = inner ?? Object.values(value);
  return parts.reduce((sum: number, part) => sum + countElements(part), inner?.length ?? 0);
}

/** Several pieces of kept messages behind one another, so that a message has fields of others. */
function mix(seed: Uint8Array, random: Random): Uint8Array {
  const pieces = cutRandomly(seed, random);
  return Uint8Array.from(Array.from(pieces, () => [...random.pick(pieces)]).flat());
}

/** What must hold for all that a host, or a guest that answers it, may send. */
export const kataTargets: readonly Target[] = [
  {
    name: "kata messages",
    seeds: "kata",
    tryOne(seed, random) {
      const { type, bytes } = splitSeed(seed);
      tryBytes(type, mutateBytes(bytes, random));
    },
  },
  {
    name: "kata requests of any method",
    seeds: "kata",
    tryOne(seed, random) {
      const { bytes } = splitSeed(seed);
      const { request } = random.pick(Object.values(kata.AgentService.methods));
      tryBytes(request, mutateBytes(random.next(2) === 0 ? mix(bytes, random) : bytes, random));
    },
  },
];
