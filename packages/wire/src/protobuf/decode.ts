import { type Field, fieldsOf, type Message, type MessageType } from "./message-type.ts";
import { Reader } from "./reader.ts";
import { WireType, wireTypeOf } from "./wire-type.ts";

/** Most elements of lists and maps, and runs of unknown fields, in a whole message. */
export const MAX_ELEMENTS = 16384;

/** Unknown bytes that count as one element when they are copied once more. */
const COPIED_BYTES = 256;

const NO_BYTES = new Uint8Array();

/** A message while it is read. */
type Target = Record<string, unknown>;

/**
 * Reads a message. A field that is not there has its default: `""`, 0, `0n`, `false`, no bytes, an empty list or map;
 * one that is a message or optional is absent. What the type does not know is kept in `$unknown`; so is a known field
 * whose value has the wire type of another, as from a peer whose API differs there.
 *
 * Fields of bytes are views of the memory given: use or copy them before it is written again.
 *
 * @throws ProtobufError when the bytes are no message, or one with more than {@link MAX_ELEMENTS} elements.
 */
export function decodeMessage<T extends Message>(type: MessageType<T>, bytes: Uint8Array): T {
  return readInto(newMessage(type), type, new Reader(bytes, type.name, MAX_ELEMENTS)) as T;
}

function newMessage(type: MessageType<Message>): Target {
  const message: Target = {};
  for (const { name, rule, kind } of fieldsOf(type).list) {
    if (rule === "*") message[name] = [];
    else if (rule === "%") message[name] = new Map();
    else if (rule === "" && kind !== "m") message[name] = defaultOf(kind);
  }
  return message;
}

function defaultOf(kind: Field["kind"]): unknown {
  if (kind === "s") return "";
  if (kind === "b") return NO_BYTES;
  if (kind === "t") return false;
  return kind === "U" || kind === "I" ? 0n : 0;
}

function readInto(message: Target, type: MessageType<Message>, reader: Reader): Target {
  const { byNumber } = fieldsOf(type);
  let unknown: [start: number, end: number][] | undefined;
  while (!reader.done) {
    const start = reader.at;
    const tag = reader.tag();
    const wireType = tag & 7;
    const field = byNumber.get(tag >>> 3);
    if (field !== undefined) reader.enterField(field.name);
    if (field === undefined || !readField(message, field, wireType, reader)) {
      reader.skip(wireType);
      unknown = noteUnknown(unknown ?? [], start, reader);
    }
    if (field !== undefined) reader.leaveField();
  }
  if (unknown !== undefined) message.$unknown = joinUnknown(message.$unknown, unknown, reader);
  return message;
}

/** Reads a field's value, unless the wire type is not one that the field can have. */
function readField(message: Target, field: Field, wireType: number, reader: Reader): boolean {
  const { name, rule, kind } = field;
  const expected = rule === "%" ? WireType.LENGTH : wireTypeOf(kind);
  if (wireType !== expected) {
    if (rule !== "*" || wireType !== WireType.LENGTH) return false;
    readPacked(message[name] as unknown[], field, reader);
    return true;
  }
  if (rule === "*") {
    reader.countElements(1);
    (message[name] as unknown[]).push(readValue(field, reader));
  } else if (rule === "%") {
    reader.countElements(1);
    readEntry(message[name] as Map<string, unknown>, field, reader);
  } else {
    // Of a message that comes twice, both are put together, as the format says.
    message[name] = readValue(field, reader, message[name] as Target | undefined);
  }
  return true;
}

function readValue({ kind, type }: Field, reader: Reader, before?: Target): unknown {
  switch (kind) {
    case "s":
      return reader.string();
    case "b":
      return reader.bytes();
    case "t":
      return reader.bool();
    case "u":
      return reader.uint32();
    case "i":
      return reader.int32();
    case "U":
      return reader.uint64();
    case "I":
      return reader.int64();
    case "m":
      return readNested(type as MessageType<Message>, reader, before);
  }
}

function readNested(type: MessageType<Message>, reader: Reader, before?: Target): Target {
  const outer = reader.enter();
  const message = readInto(before ?? newMessage(type), type, reader);
  reader.leave(outer);
  return message;
}

/** A list of numbers in one value. */
function readPacked(list: unknown[], field: Field, reader: Reader): void {
  const outer = reader.enter();
  while (!reader.done) {
    reader.countElements(1);
    list.push(readValue(field, reader));
  }
  reader.leave(outer);
}

/** An entry of a map: a message with the key as field 1 and the value as field 2. What else it has is dropped. */
function readEntry(map: Map<string, unknown>, field: Field, reader: Reader): void {
  const outer = reader.enter();
  let key = "";
  let value: unknown;
  while (!reader.done) {
    const tag = reader.tag();
    const wireType = tag & 7;
    if (tag === ((1 << 3) | WireType.LENGTH)) key = reader.string();
    else if (tag === ((2 << 3) | wireTypeOf(field.kind))) {
      value = readValue(field, reader, value as Target | undefined);
    } else reader.skip(wireType);
  }
  reader.leave(outer);
  map.set(key, value ?? (field.type === undefined ? defaultOf(field.kind) : newMessage(field.type)));
}

/** Unknown fields that follow one another are one run, so that a message of nothing else costs no more than its bytes. */
function noteUnknown(
  runs: [start: number, end: number][],
  start: number,
  reader: Reader,
): [start: number, end: number][] {
  const last = runs.at(-1);
  if (last !== undefined && last[1] === start) last[1] = reader.at;
  else {
    reader.countElements(1);
    runs.push([start, reader.at]);
  }
  return runs;
}

/** A copy of the runs, behind what a message that comes in pieces already had; all pieces copied over and over must end. */
function joinUnknown(before: unknown, runs: [start: number, end: number][], reader: Reader): Uint8Array {
  const parts = runs.map(([start, end]) => reader.view(start, end));
  if (before instanceof Uint8Array) {
    reader.countElements(Math.ceil(before.length / COPIED_BYTES));
    parts.unshift(before);
  }
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
