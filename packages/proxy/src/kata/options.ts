import { type Flags, type FlagTable, UsageError } from "@husk/tiny";
import { HANDED_DOWN_FLAGS, readSocketPath } from "../core/handed-down.ts";
import { setLogLevel } from "../core/log.ts";

/** What kata-proxy is to do. */
export interface KataProxyOptions {
  /** path of the socket on which it listens */
  listenPath: string;
  /** path of the socket of the agent's port */
  muxPath: string;
  /** id of the pod */
  sandbox: string;
  /** path of the socket of the guest's console, whose lines are to be logged */
  consolePath?: string;
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
  ...HANDED_DOWN_FLAGS,
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
  const listenPath = readSocketPath(flags, "listen-socket");
  const muxPath = readSocketPath(flags, "mux-socket");
  const sandbox = flags.required("sandbox");
  const consolePath =
    flags.text("agent-logs-socket") === undefined ? undefined : readSocketPath(flags, "agent-logs-socket");
  readLevel(flags, consolePath !== undefined);
  return { listenPath, muxPath, sandbox, ...(consolePath !== undefined && { consolePath }) };
}

/** What the console says is told as "info". */
function readLevel(flags: Flags, hasConsole: boolean): void {
  const asked = flags.text("log") ?? "warn";
  const level = flags.boolean("debug") ? "debug" : (OTHER_LEVELS[asked] ?? asked);
  if (!setLogLevel(level)) throw new UsageError(`-log is error, warn, info or debug, not "${asked}"`);
  if (hasConsole && level !== "debug") setLogLevel("info");
}
