/** kata-proxy: many clients on one socket share the port of a pod's agent. Reference: virtcontainers.md 4.1. */

import * as sys from "tiny:sys";
import {
  accept,
  describeFlags,
  EPOLLIN,
  errorText,
  Flags,
  onSignals,
  run,
  SIGINT,
  SIGPIPE,
  SIGTERM,
  startTimer,
  UsageError,
  unwatch,
  watch,
  writeAll,
} from "@husk/tiny";
import { takeListener, takeLock } from "../core/handed-down.ts";
import { log } from "../core/log.ts";
import { logConsole } from "./console-log.ts";
import { KATA_PROXY_FLAGS, type KataProxyOptions, readKataProxyOptions } from "./options.ts";
import { VmLink } from "./vm-link.ts";

const VERSION = "0.1.0+husk";
/** Exit status after a command line that is not right. */
const USAGE_STATUS = 2;
/** Milliseconds that clients may take to read what the VM had sent before it went. */
const LINGER_MS = 60_000;

/** kata-proxy, with its arguments. It goes on as long as the VM lets it. */
export function runKataProxy(args: readonly string[]): void {
  const [options, listener] = prepare(args);
  sys.ignoreSignal(SIGPIPE);
  try {
    serve(options, listener);
  } catch (error) {
    log("error", `cannot serve ${options.muxPath}: ${errorText(error)}`, { sandbox: options.sandbox });
    sys.exit(1);
  }
  run();
}

/** Reads the command line, and takes what was handed down. What only asks for help or the version ends here. */
function prepare(args: readonly string[]): [options: KataProxyOptions, listener: number] {
  try {
    const flags = new Flags(args, KATA_PROXY_FLAGS);
    if (flags.boolean("h")) leave(1, usage(), 0);
    if (flags.boolean("version")) leave(1, `kata-proxy ${VERSION}\n`, 0);
    const options = readKataProxyOptions(flags);
    takeLock(flags);
    return [options, takeListener(flags, options.listenPath)];
  } catch (error) {
    if (error instanceof UsageError)
      return leave(2, `kata-proxy: ${error.message}\n${usage()}`, USAGE_STATUS);
    return leave(2, `kata-proxy: ${errorText(error)}\n`, 1);
  }
}

function usage(): string {
  return `usage: kata-proxy [flags]\n\nflags (-name value, -name=value, --name value):\n${describeFlags(KATA_PROXY_FLAGS)}`;
}

function leave(fd: number, text: string, status: number): never {
  writeAll(fd, sys.encodeUtf8(text));
  return sys.exit(status);
}

function serve({ sandbox, muxPath, consolePath }: KataProxyOptions, listener: number): void {
  const more = { sandbox };
  let endStatus: number | undefined;
  const stopListening = () => {
    unwatch(listener);
    sys.close(listener);
  };
  const leaveWhenIdle = () => {
    if (endStatus !== undefined && link.clientCount === 0) sys.exit(endStatus);
  };
  const link = new VmLink(muxPath, {
    onReady: () => {
      log("info", "the agent is there", more);
      watch(listener, EPOLLIN, () => acceptAll(listener, link, sandbox));
    },
    onEnd: (fault) => {
      log(fault === undefined ? "info" : "error", fault ?? "the VM has gone", more);
      endStatus = fault === undefined ? 0 : 1;
      stopListening();
      startTimer(LINGER_MS, () => sys.exit(endStatus ?? 1));
      leaveWhenIdle();
    },
    onClientGone: leaveWhenIdle,
  });
  onSignals([SIGTERM, SIGINT], () => {
    log("info", "ended by a signal", more);
    stopListening();
    link.close();
    sys.exit(0);
  });
  if (consolePath !== undefined) logConsole(consolePath);
}

function acceptAll(listener: number, link: VmLink, sandbox: string): void {
  for (let fd = accept(listener); fd !== undefined; fd = accept(listener)) {
    if (!link.serve(fd)) log("warn", `a client is sent away: ${link.clientCount} are there`, { sandbox });
  }
}
