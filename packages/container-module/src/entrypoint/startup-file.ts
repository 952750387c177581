import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HuskError } from "@husk/virtcontainers";
import { messageOf, systemCode } from "@husk/virtcontainers/internals";
import { parse } from "smol-toml";

/** Most bytes of the file. */
const MAX_BYTES = 65_536;
/** Jobs of 0-OS that start a program. */
const JOBS = ["core.system", "core.base"];

/** What a root file system says about its own start: `[startup.entry]` of `.startup.toml`. */
export interface StartupEntry {
  /** the command; missing: it names none */
  readonly args?: readonly string[] | undefined;
  readonly env: readonly string[];
  readonly cwd?: string | undefined;
}

/**
 * Reads `.startup.toml` of a root file system. Who made that is not trusted: no link is followed.
 * @returns undefined when there is none, or no entry in it
 * @throws HuskError ERR_ENTRYPOINT_INVALID
 */
export function readStartupFile(root: string): StartupEntry | undefined {
  const text = readText(join(root, ".startup.toml"));
  return text === undefined ? undefined : parseStartupFile(text);
}

/** @throws HuskError ERR_ENTRYPOINT_INVALID */
export function parseStartupFile(text: string): StartupEntry | undefined {
  let file: unknown;
  try {
    file = parse(text);
  } catch (cause) {
    // The parser's message goes on with a picture of the place.
    const [why] = messageOf(cause).split("\n");
    throw invalid(`is no TOML: ${why}`, cause);
  }
  const entry = tableAt(tableAt(file, "", "startup"), "startup.", "entry");
  if (!entry) return undefined;
  const args = tableAt(entry, "startup.entry.", "args") ?? {};
  const [program, words] = [textAt(args, "name"), listAt(args, "args")];
  return {
    args: program && JOBS.includes(String(entry.name)) ? [program, ...words] : undefined,
    env: environmentOf(args),
    cwd: textAt(args, "dir") || undefined,
  };
}

function readText(path: string): string | undefined {
  try {
    // Without O_NONBLOCK a FIFO would hold us up.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw invalid("is no file");
      if (stats.size > MAX_BYTES) throw invalid(`has more than ${MAX_BYTES} bytes`);
      return readFileSync(fd, "utf8");
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    if (systemCode(error) === "ELOOP") throw invalid("is a symbolic link", error);
    if (error instanceof HuskError) throw error;
    throw invalid(`cannot be read: ${messageOf(error)}`, error);
  }
}

type Table = Readonly<Record<string, unknown>>;

function tableAt(parent: unknown, path: string, key: string): Table | undefined {
  const value = isTable(parent) && Object.hasOwn(parent, key) ? parent[key] : undefined;
  if (value === undefined || isTable(value)) return value;
  throw invalid(`has a ${path}${key} that is no table`);
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function textAt(args: Table, key: string): string | undefined {
  const value = args[key];
  if (value === undefined || typeof value === "string") return value;
  throw invalid(`has a startup.entry.args.${key} that is no text`);
}

function listAt(args: Table, key: string): string[] {
  const value = args[key] ?? [];
  if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
  throw invalid(`has a startup.entry.args.${key} that is no list of texts`);
}

function environmentOf(args: Table): string[] {
  const env = tableAt(args, "startup.entry.args.", "env") ?? {};
  return Object.entries(env).map(([name, value]) => {
    if (typeof value === "string") return `${name}=${value}`;
    throw invalid(`has a startup.entry.args.env.${name} that is no text`);
  });
}

function invalid(why: string, cause?: unknown): HuskError {
  return new HuskError("ERR_ENTRYPOINT_INVALID", `.startup.toml of the root file system ${why}`, {
    hint: "Correct the file in the flist.",
    cause,
  });
}
