/** What both proxies are as programs. */
import * as sys from "tiny:sys";
import { describeFlags, Flags, type FlagTable, onUncaught, SIGPIPE, UsageError, writeAll } from "@husk/tiny";
import { log } from "./log.ts";

/** What `-version` says, as the guest's agent does. */
const VERSION = "0.1.0+husk";
/** Exit status after a command line that is not right. */
const USAGE_STATUS = 2;

/** The command line of a proxy. */
interface CommandLine<Options> {
  /** name of the program */
  readonly program: string;
  /** arguments that it cannot do without, for the usage */
  readonly needed: string;
  /** what it is, in a sentence */
  readonly summary: string;
  readonly table: FlagTable;
  /** Makes options of what was given. Throws UsageError. */
  read(flags: Flags): Options;
}

/** Gives a proxy's options. What only asks for help or the version ends here, with 0; what is not right, with 2. */
export function readCommandLine<Options>(line: CommandLine<Options>, args: readonly string[]): Options {
  try {
    const flags = new Flags(args, line.table);
    if (flags.boolean("h")) leave(1, usage(line), 0);
    if (flags.boolean("version")) leave(1, `${line.program} ${VERSION}\n`, 0);
    return line.read(flags);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return leave(2, `${line.program}: ${error.message}\n${usage(line)}`, USAGE_STATUS);
  }
}

/** From here on a peer that has gone is an error of a write, and what nobody has caught ends the program with 1. */
export function guardProgram(): void {
  sys.ignoreSignal(SIGPIPE);
  onUncaught((error) => {
    log("error", `internal error: ${error instanceof Error ? `${error.message}\n${error.stack}` : error}`);
    sys.exit(1);
  });
}

function usage({ program, needed, summary, table }: CommandLine<unknown>): string {
  return `usage: ${program} ${needed} [flags]\n\n${summary}\n\nflags (-name value, -name=value, --name value):\n${describeFlags(table)}`;
}

function leave(fd: number, text: string, status: number): never {
  writeAll(fd, sys.encodeUtf8(text));
  return sys.exit(status);
}
