/** kata-proxy: many clients on one socket share the port of a pod's agent. Reference: virtcontainers.md 4.1. */

import * as sys from "tiny:sys";
import {
  describeFlags,
  errorText,
  Flags,
  onSignals,
  onUncaught,
  run,
  SIGINT,
  SIGPIPE,
  SIGTERM,
  UsageError,
  writeAll,
} from "@husk/tiny";
import { signLock } from "../core/lock.ts";
import { log } from "../core/log.ts";
import { logConsole } from "./console-log.ts";
import { KATA_PROXY_FLAGS, type KataProxyOptions, readKataProxyOptions } from "./options.ts";
import { KataProxy } from "./proxy.ts";

/** What `-version` says. */
const VERSION = "0.1.0+husk";
/** Exit status after a command line that is not right. */
const USAGE_STATUS = 2;

/** kata-proxy, with its arguments. It goes on as long as the VM lets it. */
export function runKataProxy(args: readonly string[]): void {
  const options = readCommandLine(args);
  sys.ignoreSignal(SIGPIPE);
  onUncaught((error) => {
    log("error", `internal error: ${error instanceof Error ? `${error.message}\n${error.stack}` : error}`);
    sys.exit(1);
  });
  try {
    if (options.lockFd !== undefined) signLock(options.lockFd);
    const proxy = new KataProxy(options, (status) => sys.exit(status));
    onSignals([SIGTERM, SIGINT], () => proxy.close());
    if (options.consolePath !== undefined) logConsole(options.consolePath);
  } catch (error) {
    log("error", `cannot serve ${options.muxPath}: ${errorText(error)}`, { sandbox: options.sandbox });
    sys.exit(1);
  }
  run();
}

/** What only asks for help or the version ends here. */
function readCommandLine(args: readonly string[]): KataProxyOptions {
  try {
    const flags = new Flags(args, KATA_PROXY_FLAGS);
    if (flags.boolean("h")) leave(1, USAGE, 0);
    if (flags.boolean("version")) leave(1, `kata-proxy ${VERSION}\n`, 0);
    return readKataProxyOptions(flags);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return leave(2, `kata-proxy: ${error.message}\n${USAGE}`, USAGE_STATUS);
  }
}

const USAGE = `usage: kata-proxy -listen-socket unix://PATH -mux-socket PATH -sandbox ID [flags]

Holds the port of the agent of one pod, for any number of clients.

flags (-name value, -name=value, --name value):
${describeFlags(KATA_PROXY_FLAGS)}`;

function leave(fd: number, text: string, status: number): never {
  writeAll(fd, sys.encodeUtf8(text));
  return sys.exit(status);
}
