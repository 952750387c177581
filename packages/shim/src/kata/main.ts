import { readCommandLine } from "../core/command-line.ts";
import { KATA_SIGNALS } from "../core/forwarded-signals.ts";
import { runShim } from "../core/run-shim.ts";
import { KataLink } from "./kata-link.ts";
import { KATA_COMMAND_LINE } from "./options.ts";

/** kata-shim, with its arguments. */
export function runKataShim(args: readonly string[]): void {
  const options = readCommandLine(KATA_COMMAND_LINE, args);
  const { agentUrl, containerId, execId, terminal = false, proxyCommand } = options;
  runShim(options, {
    program: KATA_COMMAND_LINE.program,
    signals: KATA_SIGNALS,
    makeLink: (events) => new KataLink({ agentUrl, containerId, execId, terminal, proxyCommand }, events),
  });
}
