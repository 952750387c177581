/** Command lines as Go's `flag` reads them: `-name value`, `-name=value`, `--name`; a boolean flag stands alone. */

import { nearestName } from "./nearest-name.ts";

/** Flags of a command line, and how each is read; its help is a line of the usage. */
export interface FlagTable {
  readonly [name: string]: Flag;
}

/** A flag. */
export interface Flag {
  kind: "text" | "number" | "boolean";
  /** what stands for its value in the usage */
  value?: string;
  /** for the usage: what it does */
  help: string;
  /** the flag of which this is another name */
  sameAs?: string;
}

/** What was given; a flag given twice has its last value. */
export class Flags {
  readonly #given = new Map<string, string>();

  /** Reads a command line. @throws UsageError when it is not right */
  constructor(args: readonly string[], table: FlagTable) {
    for (let at = 0; at < args.length; at++) {
      const [name, flag, inline] = findFlag(args[at] ?? "", table);
      const value = inline ?? (flag.kind === "boolean" ? "true" : args[++at]);
      if (value === undefined) throw new UsageError(`-${name} needs a value`);
      checkValue(name, flag, value);
      this.#given.set(flag.sameAs ?? name, value);
    }
  }

  /** The text of a flag; undefined when it was not given. */
  text(name: string): string | undefined {
    return this.#given.get(name);
  }

  /** The text of a flag that must be given. @throws UsageError when it was not, or is empty */
  required(name: string): string {
    const value = this.#given.get(name);
    if (!value) throw new UsageError(`-${name} is missing`);
    return value;
  }

  /** A whole number; undefined when it was not given. @throws UsageError when it is not from `least` to `most` */
  number(name: string, least: number, most: number): number | undefined {
    const value = this.#given.get(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (number >= least && number <= most) return number;
    throw new UsageError(`-${name} must be from ${least} to ${most}, not ${value}`);
  }

  /** A flag that stands alone; undefined when it was not given. */
  boolean(name: string): boolean | undefined {
    const value = this.#given.get(name);
    return value === undefined ? undefined : TRUE.includes(value);
  }
}

/** A command line that is not right. The message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const TRUE: readonly string[] = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE: readonly string[] = ["0", "f", "F", "false", "FALSE", "False"];

function findFlag(arg: string, table: FlagTable): [name: string, flag: Flag, value: string | undefined] {
  const [, name, value] = /^--?([A-Za-z][^=]*)(?:=([\s\S]*))?$/.exec(arg) ?? [];
  if (name === undefined) throw new UsageError(`"${arg}" is no flag`);
  const flag = Object.hasOwn(table, name) ? table[name] : undefined;
  if (flag) return [name, flag, value];
  const nearest = nearestName(name, Object.keys(table));
  throw new UsageError(`there is no flag -${name}${nearest ? `; there is -${nearest}` : ""}`);
}

function checkValue(name: string, { kind }: Flag, value: string): void {
  if (kind === "boolean" && !TRUE.includes(value) && !FALSE.includes(value))
    throw new UsageError(`-${name} is true or false, not "${value}"`);
  if (kind === "number" && !/^[0-9]{1,15}$/.test(value))
    throw new UsageError(`-${name} must be a whole number, not "${value}"`);
}

/** A line for each flag. */
export function describeFlags(table: FlagTable): string {
  const lines = Object.entries(table).filter(([, { sameAs }]) => sameAs === undefined);
  const forms = lines.map(([name, { value }]) => (value === undefined ? `-${name}` : `-${name} ${value}`));
  const width = Math.max(...forms.map((form) => form.length));
  return lines.map(([, { help }], at) => `  ${(forms[at] ?? "").padEnd(width)}  ${help}\n`).join("");
}
