import { HuskError } from "../errors/index.ts";
import { suggestName } from "./nearest-name.ts";

/**
 * Checks one value and throws a HuskError that names it by `path` (`containers[0].cmd.args`).
 * @throws HuskError ERR_CONFIG_INVALID, ERR_CONFIG_UNKNOWN_FIELD, ERR_NOT_SUPPORTED
 */
export type Rule = (value: unknown, path: string) => void;

function refuse(path: string, problem: string): never {
  throw new HuskError("ERR_CONFIG_INVALID", `${path}: ${problem}`);
}

/** A string without NUL bytes, of at most `max` bytes. */
export function text(options: { max?: number; empty?: boolean } = {}): Rule {
  const { max = 131_071, empty = true } = options;
  return (value, path) => {
    if (typeof value !== "string") refuse(path, "must be a string");
    if (value.includes("\0")) refuse(path, "must not hold a NUL character");
    if (Buffer.byteLength(value) > max) refuse(path, `must not be longer than ${max} bytes`);
    if (!empty && value === "") refuse(path, "must not be empty");
  };
}

/** A path on the host or in the guest. */
export const path: Rule = text({ max: 4095, empty: false });

/** An integer in a range. */
export function integer(min: number, max: number): Rule {
  return (value, at) => {
    if (!Number.isSafeInteger(value)) refuse(at, "must be a whole number");
    if ((value as number) < min || (value as number) > max) refuse(at, `must be from ${min} to ${max}`);
  };
}

export const flag: Rule = (value, at) => {
  if (typeof value !== "boolean") refuse(at, "must be true or false");
};

/** One of the names of a kind; `supported` are those that this version has. */
export function kind(known: readonly string[], supported: readonly string[] = known): Rule {
  return (value, at) => {
    if (typeof value !== "string") refuse(at, "must be a string");
    if (supported.includes(value)) return;
    const shown = JSON.stringify(value.slice(0, 80));
    if (known.includes(value)) {
      const text = `${at}: ${shown} is not supported yet; supported are: ${supported.join(", ")}`;
      throw new HuskError("ERR_NOT_SUPPORTED", text);
    }
    refuse(at, `unknown kind ${shown}; ${suggestName(value, known)}`);
  };
}

/** A known field that the library of old filled in itself: it may be there, but say nothing. */
export function output(rule: Rule): Rule {
  return (value, at) => {
    rule(value, at);
    if (value !== "" && value !== false) refuse(at, "is not for the caller to set: leave it out");
  };
}

/** An array of at most 4096 values. */
export function list(rule: Rule, options: { empty?: boolean } = {}): Rule {
  return (value, at) => {
    if (!Array.isArray(value)) refuse(at, "must be an array");
    if (value.length > 4096) refuse(at, "must not have more than 4096 values");
    if (value.length === 0 && options.empty === false) refuse(at, "must not be empty");
    for (const [index, item] of value.entries()) rule(item, `${at}[${index}]`);
  };
}

function checkPlainObject(value: unknown, at: string): asserts value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(at, "must be an object");
}

/** An object from any key to values of one kind. */
export function record(rule: Rule): Rule {
  return (value, at) => {
    checkPlainObject(value, at);
    for (const [key, item] of Object.entries(value)) rule(item, `${at}[${JSON.stringify(key.slice(0, 80))}]`);
  };
}

/** An object with the given fields and no other; a field whose value is undefined counts as missing. */
export function object(fields: Record<string, Rule>, required: readonly string[] = []): Rule {
  const known = Object.keys(fields);
  return (value, at) => {
    checkPlainObject(value, at || "the configuration");
    for (const [key, item] of Object.entries(value)) {
      const inner = at ? `${at}.${key}` : key;
      const rule = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (!rule) throwUnknownField(inner, key, known);
      if (item !== undefined) rule(item, inner);
    }
    for (const key of required) {
      if (value[key] === undefined) refuse(at ? `${at}.${key}` : key, "is missing");
    }
  };
}

function throwUnknownField(at: string, key: string, known: readonly string[]): never {
  const text = `unknown field ${at.slice(0, 200)}; ${suggestName(key, known)}`;
  throw new HuskError("ERR_CONFIG_UNKNOWN_FIELD", text);
}
