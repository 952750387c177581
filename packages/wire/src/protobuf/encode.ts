import {
  type Field,
  type FieldKind,
  fieldsOf,
  type Message,
  type MessageInit,
  type MessageType,
} from "./message-type.ts";
import { WireType, wireTypeOf } from "./wire-type.ts";
import { Writer } from "./writer.ts";

/** A message while it is written. */
type Source = Readonly<Record<string, unknown>>;

/**
 * Writes a message: its fields in the order of their numbers, those with the default left out, and the unknown ones
 * behind them. Lists of numbers are packed, as proto3 has it.
 *
 * @throws RangeError when a number is not of its field's range.
 */
export function encodeMessage<T extends Message>(
  type: MessageType<T>,
  message: MessageInit<NoInfer<T>>,
): Uint8Array {
  const writer = new Writer();
  writeMessage(type, message as Source, writer);
  return writer.finish();
}

function writeMessage(type: MessageType<Message>, message: Source, writer: Writer): void {
  for (const field of fieldsOf(type).list) {
    const value = message[field.name];
    if (value !== undefined) writeField(field, value, writer);
  }
  const unknown = message.$unknown;
  if (unknown instanceof Uint8Array) writer.raw(unknown);
}

function writeField(field: Field, value: unknown, writer: Writer): void {
  const { number, rule, kind } = field;
  if (rule === "*") writeList(field, value as readonly unknown[], writer);
  else if (rule === "%") writeMap(field, value as ReadonlyMap<string, unknown>, writer);
  else if (rule === "?" || kind === "m" || !isDefault(value)) {
    writer.tag(number, wireTypeOf(kind));
    writeValue(field, value, writer);
  }
}

function isDefault(value: unknown): boolean {
  return (
    value === 0 ||
    value === "" ||
    value === false ||
    value === 0n ||
    (value as { length?: number }).length === 0
  );
}

function writeList(field: Field, list: readonly unknown[], writer: Writer): void {
  const wireType = wireTypeOf(field.kind);
  if (wireType === WireType.LENGTH) {
    for (const value of list) {
      writer.tag(field.number, wireType);
      writeValue(field, value, writer);
    }
  } else if (list.length > 0) {
    writer.tag(field.number, WireType.LENGTH);
    const start = writer.open();
    for (const value of list) writeValue(field, value, writer);
    writer.close(start);
  }
}

function writeMap(field: Field, map: ReadonlyMap<string, unknown>, writer: Writer): void {
  for (const [key, value] of map) {
    writer.tag(field.number, WireType.LENGTH);
    const start = writer.open();
    writer.tag(1, WireType.LENGTH);
    writer.string(key);
    writer.tag(2, wireTypeOf(field.kind));
    writeValue(field, value, writer);
    writer.close(start);
  }
}

function writeValue({ name, kind, type }: Field, value: unknown, writer: Writer): void {
  if (kind === "s") writer.string(value as string);
  else if (kind === "b") writer.bytes(value as Uint8Array);
  else if (kind === "m") {
    const start = writer.open();
    writeMessage(type as MessageType<Message>, value as Source, writer);
    writer.close(start);
  } else writeNumber(kind, name, value as number | bigint | boolean, writer);
}

function writeNumber(kind: FieldKind, name: string, value: number | bigint | boolean, writer: Writer): void {
  if (!isInRange(kind, value)) throw new RangeError(`${name} is out of its range`);
  if (typeof value === "bigint") writer.varint64(value);
  // Negative numbers have the bytes of the 64-bit ones.
  else writer.varint(Number(value) >>> 0, Number(value) < 0 ? 0xffff_ffff : 0);
}

function isInRange(kind: FieldKind, value: number | bigint | boolean): boolean {
  switch (typeof value) {
    case "boolean":
      return kind === "t";
    case "number":
      return (kind === "u" && value === value >>> 0) || (kind === "i" && value === (value | 0));
    case "bigint":
      return (
        (kind === "U" && value >= 0n && value < 1n << 64n) ||
        (kind === "I" && value >= -(1n << 63n) && value < 1n << 63n)
      );
  }
}

/** What stands before the bytes of a field, when those come from elsewhere. */
export function encodeBytesHead(field: number, length: number): Uint8Array {
  const writer = new Writer();
  writer.tag(field, WireType.LENGTH);
  writer.varint(length, 0);
  return writer.finish();
}
