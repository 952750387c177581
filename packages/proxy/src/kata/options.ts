import { type Flags, type FlagTable, UsageError } from "@husk/tiny";
import type { ListenerOptions } from "../core/listener.ts";
import { setLogLevel } from "../core/log.ts";

/** First descriptor that is not one of the three that every program has, and highest there may be. */
const [FIRST_FD, LAST_FD] = [3, 1_048_576];

/** What kata-proxy is to do. */
export interface KataProxyOptions {
  /** the socket on which it listens */
  listener: ListenerOptions;
  /** locked as long as it lives, handed down */
  lockFd: number | undefined;
  /** path of the socket of the agent's port */
  muxPath: string;
  /** id of the pod */
  sandbox: string;
  /** path of the socket of the guest's console, whose lines are to be logged */
  consolePath: string | undefined;
}

/** The flags of the original, and ours. */
export const KATA_PROXY_FLAGS: FlagTable = {
  "listen-socket": { kind: "text", value: "URL", help: "socket for the clients, unix:///path" },
  "mux-socket": { kind: "text", value: "PATH", help: "socket of the agent's port" },
  sandbox: { kind: "text", value: "ID", help: "id of the pod" },
  log: { kind: "text", value: "LEVEL", help: "what is told: error, warn, info or debug (warn)" },
  debug: { kind: "boolean", help: "tell all" },
  "agent-logs-socket": { kind: "text", value: "PATH", help: "socket of the guest's console, to be logged" },
  version: { kind: "boolean", help: "print the version" },
  h: { kind: "boolean", help: "print this" },
  help: { kind: "boolean", help: "", sameAs: "h" },
  "lock-fd": { kind: "number", value: "N", help: "a locked file, to be held and to get our process id" },
  "listen-fd": { kind: "number", value: "N", help: "the socket of -listen-socket, listening already" },
};

/** Names of levels that others use, and ours for them. */
const OTHER_LEVELS: Readonly<Record<string, string>> = {
  trace: "debug",
  warning: "warn",
  fatal: "error",
  panic: "error",
};

/** Reads kata-proxy's command line, and sets how much is told. @throws UsageError when it is not right */
export function readKataProxyOptions(flags: Flags): KataProxyOptions {
  const consolePath =
    flags.text("agent-logs-socket") === undefined ? undefined : readSocketPath(flags, "agent-logs-socket");
  readLevel(flags, consolePath !== undefined);
  return {
    listener: {
      path: readSocketPath(flags, "listen-socket"),
      fd: flags.number("listen-fd", FIRST_FD, LAST_FD),
    },
    lockFd: flags.number("lock-fd", FIRST_FD, LAST_FD),
    muxPath: readSocketPath(flags, "mux-socket"),
    sandbox: flags.required("sandbox"),
    consolePath,
  };
}

/** Path of a socket from its URL, `unix:///path`, or from itself. */
function readSocketPath(flags: Flags, name: string): string {
  const url = flags.required(name);
  const path = url.startsWith("unix://") ? url.slice("unix://".length) : url;
  if (path.startsWith("/")) return path;
  throw new UsageError(`-${name} must be unix:// and an absolute path, not "${url}"`);
}

/** What the console says is told as "info". */
function readLevel(flags: Flags, hasConsole: boolean): void {
  const asked = flags.text("log") ?? "warn";
  const level = flags.boolean("debug") ? "debug" : (OTHER_LEVELS[asked] ?? asked);
  if (!setLogLevel(level)) throw new UsageError(`-log is error, warn, info or debug, not "${asked}"`);
  if (hasConsole && level !== "debug") setLogLevel("info");
}
