import { readCommandLine } from "../core/command-line.ts";
import { CC_SIGNALS } from "../core/forwarded-signals.ts";
import { noLink } from "../core/no-link.ts";
import { runShim } from "../core/run-shim.ts";
import { CC_COMMAND_LINE } from "./options.ts";

/** cc-shim, with its arguments. */
export function runCcShim(args: readonly string[]): void {
  const options = readCommandLine(CC_COMMAND_LINE, args);
  runShim(options, {
    program: CC_COMMAND_LINE.program,
    signals: CC_SIGNALS,
    makeLink: noLink,
  });
}
