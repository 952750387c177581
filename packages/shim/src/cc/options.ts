import { type Flags, type FlagTable, UsageError } from "@husk/tiny";
import type { CommandLine } from "../core/command-line.ts";
import { readShimOptions, SHIM_FLAGS, type ShimOptions } from "../core/shim-options.ts";

/** What cc-shim is to do. */
export interface CcOptions extends ShimOptions {
  /** of the streams at the proxy, URL-safe base64 */
  token: string;
  /** of the proxy's socket, `unix:///path` */
  url: string;
  /** seconds for which a lost proxy is tried again */
  reconnectSeconds: number;
}

/** What its URL begins with. */
export const URL_SCHEME = "unix://";

const DEFAULT_RECONNECT_SECONDS = 10;
const MOST_RECONNECT_SECONDS = 24 * 60 * 60;

/** The flags of the original, under both of their names, and ours. */
const CC_FLAGS: FlagTable = {
  c: { kind: "text", value: "ID", help: "id of the container" },
  "container-id": { kind: "text", help: "", sameAs: "c" },
  t: { kind: "text", value: "TOKEN", help: "token of the process at the proxy" },
  token: { kind: "text", help: "", sameAs: "t" },
  u: { kind: "text", value: "URL", help: "socket of the proxy, unix:///path" },
  uri: { kind: "text", help: "", sameAs: "u" },
  r: { kind: "number", value: "SECONDS", help: "how long a lost proxy is tried again (10)" },
  "reconnect-timeout": { kind: "number", help: "", sameAs: "r" },
  d: { kind: "boolean", help: "with a log: tell on stderr what is going on" },
  debug: { kind: "boolean", help: "", sameAs: "d" },
  v: { kind: "boolean", help: "print the version" },
  version: { kind: "boolean", help: "", sameAs: "v" },
  h: { kind: "boolean", help: "print this" },
  help: { kind: "boolean", help: "", sameAs: "h" },
  terminal: { kind: "boolean", help: "the process has a terminal (when our stdin is one)" },
  ...SHIM_FLAGS,
};

function readCcOptions(flags: Flags): CcOptions {
  const token = flags.required("t");
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(token)) throw new UsageError("-t must be URL-safe base64");
  return {
    ...readShimOptions(flags, flags.required("c"), flags.boolean("d") ?? false),
    token,
    url: readUrl(flags.required("u")),
    reconnectSeconds: flags.number("r", 0, MOST_RECONNECT_SECONDS) ?? DEFAULT_RECONNECT_SECONDS,
  };
}

function readUrl(url: string): string {
  if (/^unix:\/\/\/./.test(url)) return url;
  throw new UsageError(`-u must be unix:// and an absolute path, not "${url}"`);
}

/** cc-shim's command line. */
export const CC_COMMAND_LINE: CommandLine<CcOptions> = {
  program: "cc-shim",
  summary:
    "Is a process of a container on the host: its streams, its signals, its exit status. It talks to cc-proxy.",
  table: CC_FLAGS,
  examples: [
    "-c web -t TOKEN -u unix:///run/pod/proxy.sock",
    "-c web -t TOKEN -u unix:///run/pod/proxy.sock -log-file /run/pod/output.log -exit-file /run/pod/exit.json",
  ],
  versionFlag: "v",
  read: readCcOptions,
};
