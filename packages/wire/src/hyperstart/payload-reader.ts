import { MAX_LIST_LENGTH } from "./limits.ts";
import { PayloadError } from "./payload-error.ts";

/** A JSON object as it came: nothing is known of its values. */
export type JsonObject = { readonly [key: string]: unknown };

/** Checks one value found at a path of the payload. Throws PayloadError. */
export type Reader<T> = (value: unknown, path: string) => T;

/**
 * Parses a payload that is one JSON object of at most `maxBytes`. Nothing, `null` and `""` stand for an object
 * without keys: hosts send each of them where a command has no payload.
 */
export function readPayload(payload: Uint8Array, maxBytes: number): JsonObject {
  if (payload.length > maxBytes) {
    throw new PayloadError("", `the payload has ${payload.length} bytes, more than ${maxBytes}`);
  }
  let value: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(payload);
    value = text.trim() === "" ? null : JSON.parse(text);
  } catch {
    // The engines' own texts differ and quote the payload, which may be hostile.
    throw new PayloadError("", "the payload is not JSON in UTF-8");
  }
  return value === null || value === "" ? {} : readObject(value, "");
}

/** The value of a key that must be there. */
export function required<T>(object: JsonObject, path: string, key: string, read: Reader<T>): T {
  const value = object[key];
  if (value === undefined || value === null) throw new PayloadError(join(path, key), "is missing");
  return read(value, join(path, key));
}

/** The value of a key that may be absent or `null`, and what stands for it then. */
export function withDefault<T>(
  object: JsonObject,
  path: string,
  key: string,
  read: Reader<T>,
  fallback: NoInfer<T>,
): T {
  const value = object[key];
  return value === undefined || value === null ? fallback : read(value, join(path, key));
}

/** An object with the one key, or without it when absent or `null`; made to be spread. */
export function optional<K extends string, T>(
  object: JsonObject,
  path: string,
  key: K,
  read: Reader<T>,
): { [P in K]?: T } {
  const value = object[key];
  if (value === undefined || value === null) return {};
  return { [key]: read(value, join(path, key)) } as { [P in K]?: T };
}

/** The same for strings, where hosts also say `""` for none. */
export function optionalText<K extends string>(
  object: JsonObject,
  path: string,
  key: K,
  read: Reader<string>,
): { [P in K]?: string } {
  return object[key] === "" ? {} : optional(object, path, key, read);
}

/** An object. */
export const readObject: Reader<JsonObject> = (value, path) => {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw wrongType(value, path, "an object");
};

/** `true` or `false` and nothing that resembles them. */
export const readBoolean: Reader<boolean> = (value, path) => {
  if (typeof value === "boolean") return value;
  throw wrongType(value, path, "true or false");
};

/** An integer from `least` to `most`. */
export function integer(least: number, most: number): Reader<number> {
  return (value, path) => {
    if (typeof value !== "number") throw wrongType(value, path, "a number");
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new PayloadError(path, `must be an integer from ${least} to ${most}`);
  };
}

/** A string of at most `maxBytes` in UTF-8, without NUL (it could not reach the kernel) or half a character. */
export function text(maxBytes: number): Reader<string> {
  return (value, path) => {
    if (typeof value !== "string") throw wrongType(value, path, "a string");
    if (value.includes("\0")) throw new PayloadError(path, "must not contain a NUL");
    if (!value.isWellFormed()) throw new PayloadError(path, "must be valid Unicode");
    if (exceeds(value, maxBytes)) throw new PayloadError(path, `must not be longer than ${maxBytes} bytes`);
    return value;
  };
}

/** A text of one line: no control characters either, as it goes into files of lines or into names. */
export function line(maxBytes: number): Reader<string> {
  const read = text(maxBytes);
  return (value, path) => {
    const found = read(value, path);
    for (let i = 0; i < found.length; i++) {
      const code = found.charCodeAt(i);
      if (code < 0x20 || code === 0x7f) throw new PayloadError(path, "must not contain control characters");
    }
    return found;
  };
}

/** What another reader takes, except the empty string. */
export function nonEmpty(read: Reader<string>): Reader<string> {
  return (value, path) => {
    const found = read(value, path);
    if (found === "") throw new PayloadError(path, "must not be empty");
    return found;
  };
}

/** One of a few strings. */
export function oneOf<T extends string>(...words: readonly T[]): Reader<T> {
  return (value, path) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new PayloadError(path, `must be one of ${words.join(", ")}`);
    return found;
  };
}

/** A line, or an integer that stands for its decimal digits: ids and masks come as either. */
export function lineOrNumber(maxBytes: number): Reader<string> {
  const read = line(maxBytes);
  return (value, path) =>
    typeof value === "number" ? String(integer(0, 0xffff_ffff)(value, path)) : read(value, path);
}

/** An array of at most 4096 elements. */
export function listOf<T>(read: Reader<T>): Reader<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrongType(value, path, "an array");
    if (value.length > MAX_LIST_LENGTH) {
      throw new PayloadError(path, `must not have more than ${MAX_LIST_LENGTH} elements`);
    }
    return value.map((element, i) => read(element, `${path}[${i}]`));
  };
}

/** An object used as a map, of at most 4096 keys. */
export function mapOf<T>(readKey: Reader<string>, readValue: Reader<T>): Reader<Record<string, T>> {
  return (value, path) => {
    const entries = Object.entries(readObject(value, path));
    if (entries.length > MAX_LIST_LENGTH) {
      throw new PayloadError(path, `must not have more than ${MAX_LIST_LENGTH} keys`);
    }
    // fromEntries defines its keys, so one called __proto__ is a key like any other. A key may be anything at
    // all, so a fault's path gives its number.
    return Object.fromEntries(
      entries.map(([key, element], i) => [
        readKey(key, `${path}[${i}]`),
        readValue(element, `${path}[${i}]`),
      ]),
    );
  };
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function wrongType(value: unknown, path: string, wanted: string): PayloadError {
  let found: string = typeof value;
  if (value === null) found = "null";
  else if (Array.isArray(value)) found = "array";
  return new PayloadError(
    path,
    path === "" ? `the payload must be ${wanted}` : `must be ${wanted}, not ${found}`,
  );
}

/** Whether a string is longer than `maxBytes` in UTF-8; counts only when its length leaves that open. */
function exceeds(value: string, maxBytes: number): boolean {
  if (value.length * 3 <= maxBytes) return false;
  if (value.length > maxBytes) return true;
  let bytes = 0;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    // A surrogate is half of four bytes.
    if (code < 0x80) bytes += 1;
    else if (code < 0x800 || (code >= 0xd800 && code < 0xe000)) bytes += 2;
    else bytes += 3;
  }
  return bytes > maxBytes;
}
