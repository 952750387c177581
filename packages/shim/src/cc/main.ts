import { readCommandLine } from "../core/command-line.ts";
import { CC_SIGNALS } from "../core/forwarded-signals.ts";
import { runShim } from "../core/run-shim.ts";
import { CcLink, type CcLinkOptions } from "./cc-link.ts";
import { CC_COMMAND_LINE, type CcOptions, URL_SCHEME } from "./options.ts";

/** cc-shim, with its arguments. */
export function runCcShim(args: readonly string[]): void {
  const options = readCommandLine(CC_COMMAND_LINE, args);
  runShim(options, {
    program: CC_COMMAND_LINE.program,
    signals: CC_SIGNALS,
    makeLink: (events) => new CcLink(linkOptions(options), events),
  });
}

function linkOptions({ url, token, reconnectSeconds, proxyCommand, log }: CcOptions): CcLinkOptions {
  const socketPath = url.slice(URL_SCHEME.length);
  // One that writes a log is started again when it has died; the descriptors of another die with it.
  return { socketPath, token, reconnectSeconds, proxyCommand, transient: log === undefined };
}
