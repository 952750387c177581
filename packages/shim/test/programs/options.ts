/** Prints what a shim's command line means: `options cc|kata FLAGS…`. */
import * as sys from "tiny:sys";
import { writeAll } from "@husk/tiny";
import { CC_COMMAND_LINE } from "../../src/cc/options.ts";
import { type CommandLine, readCommandLine } from "../../src/core/command-line.ts";
import { KATA_COMMAND_LINE } from "../../src/kata/options.ts";

const [, which, ...args] = sys.argv;
const line: CommandLine<object> = which === "cc" ? CC_COMMAND_LINE : KATA_COMMAND_LINE;
writeAll(1, sys.encodeUtf8(JSON.stringify(readCommandLine(line, args))));
