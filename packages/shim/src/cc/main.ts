import { type CommandLine, readCommandLine } from "../core/command-line.ts";
import { CC_SIGNALS } from "../core/forwarded-signals.ts";
import { noLink } from "../core/no-link.ts";
import { runShim } from "../core/run-shim.ts";
import { CC_FLAGS, type CcOptions, readCcOptions } from "./options.ts";

const COMMAND_LINE: CommandLine<CcOptions> = {
  program: "cc-shim",
  summary:
    "Is a process of a container on the host: its streams, its signals, its exit status. It talks to cc-proxy.",
  table: CC_FLAGS,
  examples: [
    "-c web -t TOKEN -u unix:///run/pod/proxy.sock",
    "-c web -t TOKEN -u unix:///run/pod/proxy.sock -log-file /run/pod/output.log -exit-file /run/pod/exit.json",
  ],
  versionFlag: "v",
  read: readCcOptions,
};

/** cc-shim, with its arguments. */
export function runCcShim(args: readonly string[]): void {
  const options = readCommandLine(COMMAND_LINE, args);
  runShim(options, {
    program: COMMAND_LINE.program,
    signals: CC_SIGNALS,
    makeLink: noLink,
  });
}
