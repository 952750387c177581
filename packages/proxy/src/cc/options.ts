import type { Flags, FlagTable } from "@husk/tiny";
import { UsageError } from "@husk/tiny";
import { setLogLevel } from "../core/log.ts";

/** What cc-proxy is told. */
export interface CcProxyOptions {
  /** where it is found, as it is told to shims: `unix://…` */
  readonly uri: string;
  /** path of its socket */
  readonly socketPath: string;
  /** a socket that listens there already, handed down */
  readonly listenFd: number | undefined;
  /** locked as long as it lives, handed down */
  readonly lockFd: number | undefined;
  readonly stateFile: string | undefined;
}

const SCHEME = "unix://";
const MAX_DESCRIPTOR = 65535;

/** Its flags. */
export const CC_PROXY_FLAGS: FlagTable = {
  uri: { kind: "text", value: "URI", help: "unix://PATH of the socket to listen on" },
  log: { kind: "text", value: "LEVEL", help: "how much is told: error, warn (default), info or debug" },
  "lock-fd": { kind: "number", value: "N", help: "a locked file, to be held and to get our process id" },
  "listen-fd": { kind: "number", value: "N", help: "the socket of -uri, listening already" },
  "state-file": { kind: "text", value: "PATH", help: "what another proxy needs to take the pod over" },
  version: { kind: "boolean", help: "print the version" },
  h: { kind: "boolean", help: "print this" },
  help: { kind: "boolean", help: "print this", sameAs: "h" },
};

/** Reads the flags. @throws UsageError when they are not right */
export function readOptions(flags: Flags): CcProxyOptions {
  const uri = flags.required("uri");
  if (!uri.startsWith(`${SCHEME}/`))
    throw new UsageError(`-uri must be unix:// and a whole path, not ${uri}`);
  const level = flags.text("log");
  if (level !== undefined && !setLogLevel(level)) throw new UsageError(`-log has no level "${level}"`);
  return {
    uri,
    socketPath: uri.slice(SCHEME.length),
    listenFd: flags.number("listen-fd", 0, MAX_DESCRIPTOR),
    lockFd: flags.number("lock-fd", 0, MAX_DESCRIPTOR),
    stateFile: flags.text("state-file"),
  };
}
