import * as sys from "tiny:sys";
import { describeFlags, Flags, type FlagTable, UsageError, writeAll } from "@husk/tiny";
import { VERSION } from "./version.ts";

/** The command line of a shim. */
export interface CommandLine<Options> {
  /** name of the program */
  program: string;
  /** what it is, in a sentence */
  summary: string;
  table: FlagTable;
  /** lines that show how it is called, without the program's name */
  examples: readonly string[];
  /** the flag that prints the version */
  versionFlag: string;
  /** Makes options of what was given. Throws UsageError. */
  read(flags: Flags): Options;
}

/** Gives a shim's options. What only asks for help or the version ends here, with 0; what is not right, with 1. */
export function readCommandLine<Options>(line: CommandLine<Options>, args: readonly string[]): Options {
  try {
    const flags = new Flags(args, line.table);
    if (flags.boolean("h")) leave(1, usage(line), 0);
    if (flags.boolean(line.versionFlag)) leave(1, `${line.program} ${VERSION}\n`, 0);
    return line.read(flags);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return leave(2, `${line.program}: ${error.message}; -h prints the flags\n`, 1);
  }
}

function usage({ program, summary, table, examples }: CommandLine<unknown>): string {
  const shown = examples.map((example) => `  ${program} ${example}\n`).join("");
  return `usage: ${program} [flags]\n\n${summary}\n\nflags (-name value, -name=value, --name value):\n${describeFlags(table)}\nexamples:\n${shown}`;
}

function leave(fd: number, text: string, code: number): never {
  writeAll(fd, sys.encodeUtf8(text));
  return sys.exit(code);
}
