/** kata-proxy: many clients on one socket share the port of a pod's agent. Reference: virtcontainers.md 4.1. */

import * as sys from "tiny:sys";
import { errorText, onSignals, run, SIGINT, SIGTERM } from "@husk/tiny";
import { signLock } from "../core/lock.ts";
import { log } from "../core/log.ts";
import { guardProgram, readCommandLine } from "../core/program.ts";
import { logConsole } from "./console-log.ts";
import { KATA_PROXY_FLAGS, readKataProxyOptions } from "./options.ts";
import { KataProxy } from "./proxy.ts";

/** kata-proxy, with its arguments. It goes on as long as the VM lets it. */
export function runKataProxy(args: readonly string[]): void {
  const options = readCommandLine(COMMAND_LINE, args);
  guardProgram();
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

const COMMAND_LINE = {
  program: "kata-proxy",
  needed: "-listen-socket unix://PATH -mux-socket PATH -sandbox ID",
  summary: "Holds the port of the agent of one pod, for any number of clients.",
  table: KATA_PROXY_FLAGS,
  read: readKataProxyOptions,
};
