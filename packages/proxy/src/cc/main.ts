import * as sys from "tiny:sys";
import { errorText, run } from "@husk/tiny";
import { signLock } from "../core/lock.ts";
import { log } from "../core/log.ts";
import { guardProgram, readCommandLine } from "../core/program.ts";
import { CC_PROXY_FLAGS, readOptions } from "./options.ts";
import { CcProxy } from "./proxy.ts";

/** cc-proxy, with its arguments. */
export function runCcProxy(args: readonly string[]): void {
  const options = readCommandLine(COMMAND_LINE, args);
  guardProgram();
  try {
    if (options.lockFd !== undefined) signLock(options.lockFd);
    const proxy = new CcProxy(options);
    void proxy.begin();
  } catch (error) {
    log("error", `cannot serve ${options.uri}: ${errorText(error)}`);
    sys.exit(1);
  }
  run();
}

const COMMAND_LINE = {
  program: "cc-proxy",
  needed: "-uri unix://PATH",
  summary: "Holds the channels of the agent of one pod, for any number of clients.",
  table: CC_PROXY_FLAGS,
  read: readOptions,
};
