/** What all messages have. */
export interface Message {
  /** fields that the message's type does not know, as they came; encoded again behind the others */
  $unknown?: Uint8Array;
}

/**
 * A message as its sender writes it: each field may be left out, and then has its default.
 * Lists and maps may be read-only.
 */
export type MessageInit<T> = T extends Uint8Array
  ? Uint8Array
  : T extends ReadonlyMap<infer Key, infer Value>
    ? ReadonlyMap<Key, MessageInit<Value>>
    : T extends readonly (infer Element)[]
      ? readonly MessageInit<Element>[]
      : T extends object
        ? { readonly [Name in keyof T]?: MessageInit<T[Name]> | undefined }
        : T;

/**
 * How a field's value is written:
 * `s` string, `b` bytes, `t` bool, `u` uint32, `i` int32 or enum, `U` uint64, `I` int64, `m` message.
 */
export type FieldKind = "s" | "b" | "t" | "u" | "i" | "U" | "I" | "m";

/** How often a field is there: `""` once, with a default; `?` once or not at all; `*` a list; `%` a map from strings. */
type FieldRule = "" | "?" | "*" | "%";

/** One field of a message. */
export interface Field {
  readonly number: number;
  readonly name: string;
  readonly rule: FieldRule;
  readonly kind: FieldKind;
  /** type of a value that is a message */
  readonly type?: MessageType<Message> | undefined;
}

/**
 * A type of messages: what {@link decodeMessage} and {@link encodeMessage} go by. Made by {@link messageType}.
 * A type can only hold types made before it, so a message cannot hold itself and nests only as deep as its type.
 */
export interface MessageType<T extends Message> {
  /** name with its package: `grpc.Spec` */
  readonly name: string;
  /** its fields, in the compact form of {@link messageType} */
  readonly layout: string;
  readonly types: readonly MessageType<Message>[];
  /** the fields, once they have been asked for */
  fields?: Fields;
  /** Exists for the compiler alone. */
  readonly sample?: T;
}

/** The fields of a message in the order of their numbers. */
export interface Fields {
  readonly list: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
}

const FIELD = /^(\d+)([?*%]?)([sbtuiUIm])$/;

/**
 * Makes a type.
 *
 * The layout is kept as a text until the type is first used, since a program knows many types and meets few: a field
 * is its number, rule ({@link FieldRule}) and kind ({@link FieldKind}) in one word, and its name in the next.
 * `"1s Path 2*s Args 4I Timeout"` is a message with a string, a list of strings and an int64.
 *
 * @param types types of the fields of kind `m`, in their order
 */
export function messageType<T extends Message>(
  name: string,
  layout: string,
  types: readonly MessageType<Message>[] = [],
): MessageType<T> {
  return { name, layout, types };
}

/** The fields of a type. @throws RangeError when its layout is none. */
export function fieldsOf(type: MessageType<Message>): Fields {
  type.fields ??= parseLayout(type);
  return type.fields;
}

function parseLayout({ name, layout, types }: MessageType<Message>): Fields {
  const list: Field[] = [];
  const words = layout === "" ? [] : layout.split(" ");
  let nextType = 0;
  for (let at = 0; at < words.length; at += 2) {
    const [, number, rule, kind] = FIELD.exec(words[at] ?? "") ?? [];
    const fieldName = words[at + 1];
    const type = kind === "m" ? types[nextType++] : undefined;
    if (fieldName === undefined || kind === undefined || (kind === "m" && type === undefined)) {
      throw new RangeError(`the layout of ${name} is wrong at "${words[at]}"`);
    }
    list.push({
      number: Number(number),
      name: fieldName,
      rule: rule as FieldRule,
      kind: kind as FieldKind,
      type,
    });
  }
  return { list, byNumber: new Map(list.map((field) => [field.number, field])) };
}
