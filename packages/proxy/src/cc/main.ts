import * as sys from "tiny:sys";
import { describeFlags, errorText, Flags, onUncaught, run, SIGPIPE, UsageError, writeAll } from "@husk/tiny";
import { signLock } from "../core/lock.ts";
import { log } from "../core/log.ts";
import { CC_PROXY_FLAGS, type CcProxyOptions, readOptions } from "./options.ts";
import { CcProxy } from "./proxy.ts";

/** What `-version` says. */
const VERSION = "0.1.0+husk";

/** cc-proxy, with its arguments. */
export function runCcProxy(args: readonly string[]): void {
  const options = readCommandLine(args);
  sys.ignoreSignal(SIGPIPE);
  onUncaught((error) => {
    log("error", `internal error: ${error instanceof Error ? `${error.message}\n${error.stack}` : error}`);
    sys.exit(1);
  });
  try {
    if (options.lockFd !== undefined) signLock(options.lockFd);
    const proxy = new CcProxy(options);
    void proxy.begin();
  } catch (error) {
    leave(2, `cc-proxy: ${errorText(error)}\n`, 1);
  }
  run();
}

function readCommandLine(args: readonly string[]): CcProxyOptions {
  try {
    const flags = new Flags(args, CC_PROXY_FLAGS);
    if (flags.boolean("h")) leave(1, USAGE, 0);
    if (flags.boolean("version")) leave(1, `cc-proxy ${VERSION}\n`, 0);
    return readOptions(flags);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return leave(2, `cc-proxy: ${error.message}\n${USAGE}`, 2);
  }
}

const USAGE = `usage: cc-proxy -uri unix://PATH [flags]

Holds the channels of the agent of one pod, for any number of clients.

flags (-name value, -name=value, --name value):
${describeFlags(CC_PROXY_FLAGS)}`;

function leave(fd: number, text: string, code: number): never {
  writeAll(fd, sys.encodeUtf8(text));
  return sys.exit(code);
}
