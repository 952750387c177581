/** What the command lines of both shims have in common. The original shims have none of it. */

import { type Flags, type FlagTable, UsageError } from "@husk/tiny";

/** What a shim is to do with its process, whichever way leads to it. */
export interface ShimOptions {
  /** container of the process */
  containerId: string;
  /** end with the exit code of the process, not with 0 */
  proxyExitCode: boolean;
  /** with a log: tell what is going on */
  debug: boolean;
  /** the process has a terminal; undefined: nobody said so, and a terminal as our input stands for one */
  terminal: boolean | undefined;
  /** where the output goes, if not to our own stdout and stderr */
  log: LogOptions | undefined;
  /** listening socket on which others can attach themselves to the process */
  attachFd: number | undefined;
  /** with a log: input is taken from those who attach themselves */
  interactive: boolean;
  /** path of the file that says how the process ended */
  exitFile: string | undefined;
  /** program that is started when the process has ended, and its arguments */
  exitCommand: string[] | undefined;
  /** path of a terminal that is to be stdin, stdout and stderr, and ours */
  consolePath: string | undefined;
  /** path of the proxy.json from which a dead proxy is brought back */
  proxyCommand: string | undefined;
}

/** A log of bounded length. */
export interface LogOptions {
  /** path of the file that is written; older ones are `<path>.1` and so on */
  path: string;
  /** bytes after which a new file is begun */
  maxBytes: number;
  /** files kept, with the one that is written */
  maxFiles: number;
}

const DEFAULT_LOG_BYTES = 10 * 1024 * 1024;
const DEFAULT_LOG_FILES = 3;
/** Fewest bytes of a log's file: whole batches have room. */
const LEAST_LOG_BYTES = 64 * 1024;
const MOST_LOG_FILES = 1000;
const MAX_DESCRIPTOR = 65535;

/** The flags of ours, for both shims. */
export const SHIM_FLAGS: FlagTable = {
  "log-file": {
    kind: "text",
    value: "PATH",
    help: "write the output to a log of JSON lines, not to stdout and stderr",
  },
  "log-max-bytes": {
    kind: "number",
    value: "N",
    help: "bytes after which a new log file is begun (10485760)",
  },
  "log-max-files": { kind: "number", value: "N", help: "log files kept, with the one that is written (3)" },
  "attach-fd": {
    kind: "number",
    value: "N",
    help: "a listening socket that was handed down: who connects can attach",
  },
  interactive: {
    kind: "boolean",
    help: "with a log: take input from who attaches; else it is closed at once",
  },
  "exit-file": { kind: "text", value: "PATH", help: "write there how the process ended, as JSON" },
  "exit-command": {
    kind: "text",
    value: "JSON",
    help: "start this then: an array, a program's path and its arguments",
  },
  console: { kind: "text", value: "PATH", help: "a terminal to be used as stdin, stdout and stderr" },
  "proxy-command": {
    kind: "text",
    value: "PATH",
    help: "the proxy.json from which a dead proxy is started again",
  },
};

/** Reads what they have in common. @throws UsageError when it is not right */
export function readShimOptions(flags: Flags, containerId: string, debug: boolean): ShimOptions {
  return {
    containerId,
    debug,
    proxyExitCode: flags.boolean("proxy-exit-code") ?? true,
    terminal: flags.boolean("terminal"),
    log: readLogOptions(flags),
    attachFd: flags.number("attach-fd", 3, MAX_DESCRIPTOR),
    interactive: flags.boolean("interactive") ?? false,
    exitFile: flags.text("exit-file"),
    exitCommand: readCommand(flags.text("exit-command")),
    consolePath: flags.text("console"),
    proxyCommand: flags.text("proxy-command"),
  };
}

function readLogOptions(flags: Flags): LogOptions | undefined {
  const path = flags.text("log-file");
  if (path === undefined) return undefined;
  if (flags.text("console") !== undefined) throw new UsageError("-log-file and -console do not go together");
  return {
    path,
    maxBytes: flags.number("log-max-bytes", LEAST_LOG_BYTES, Number.MAX_SAFE_INTEGER) ?? DEFAULT_LOG_BYTES,
    maxFiles: flags.number("log-max-files", 1, MOST_LOG_FILES) ?? DEFAULT_LOG_FILES,
  };
}

function readCommand(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  const words = parse(text);
  const isRight =
    Array.isArray(words) && words.every((word) => typeof word === "string" && !word.includes("\0"));
  if (isRight && words[0]?.startsWith("/")) return words;
  throw new UsageError("-exit-command must be a JSON array of strings, first a program's absolute path");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
