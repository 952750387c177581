import { type CommandLine, readCommandLine } from "../core/command-line.ts";
import { KATA_SIGNALS } from "../core/forwarded-signals.ts";
import { noLink } from "../core/no-link.ts";
import { runShim } from "../core/run-shim.ts";
import { KATA_FLAGS, type KataOptions, readKataOptions } from "./options.ts";

const COMMAND_LINE: CommandLine<KataOptions> = {
  program: "kata-shim",
  summary:
    "Is a process of a container on the host: its streams, its signals, its exit status. It talks to kata-proxy.",
  table: KATA_FLAGS,
  examples: [
    "-agent unix:///run/pod/proxy.sock -container web -exec-id web",
    "-agent unix:///run/pod/proxy.sock -container web -exec-id shell -terminal",
  ],
  versionFlag: "version",
  read: readKataOptions,
};

/** kata-shim, with its arguments. */
export function runKataShim(args: readonly string[]): void {
  const options = readCommandLine(COMMAND_LINE, args);
  runShim(options, {
    program: COMMAND_LINE.program,
    signals: KATA_SIGNALS,
    makeLink: noLink,
  });
}
