import { type Flags, type FlagTable, UsageError } from "@husk/tiny";
import type { CommandLine } from "../core/command-line.ts";
import { readShimOptions, SHIM_FLAGS, type ShimOptions } from "../core/shim-options.ts";
import { isAgentUrl } from "./agent-url.ts";

/** What kata-shim is to do. */
export interface KataOptions extends ShimOptions {
  /** where the agent, or its proxy, is: `unix:///path`, a path, or `vsock://cid:port` */
  agentUrl: string;
  /** id of the process in its container; of the first one, the container's */
  execId: string;
}

/** The flags of the original, and ours. */
const KATA_FLAGS: FlagTable = {
  agent: {
    kind: "text",
    value: "URL",
    help: "where the agent or its proxy is: unix:///path or vsock://cid:port",
  },
  container: { kind: "text", value: "ID", help: "id of the container" },
  "exec-id": { kind: "text", value: "ID", help: "id of the process in the container" },
  terminal: { kind: "boolean", help: "the process has a terminal" },
  "proxy-exit-code": { kind: "boolean", help: "end with the exit code of the process (true)" },
  log: {
    kind: "text",
    value: "LEVEL",
    help: "debug is the same as -debug; nothing else is told more or less (warn)",
  },
  debug: { kind: "boolean", help: "with a log: tell on stderr what is going on" },
  trace: { kind: "boolean", help: "is not supported" },
  "agent-logs-socket": {
    kind: "text",
    value: "PATH",
    help: "is not used: the proxy writes the console's log",
  },
  version: { kind: "boolean", help: "print the version" },
  h: { kind: "boolean", help: "print this" },
  help: { kind: "boolean", help: "", sameAs: "h" },
  ...SHIM_FLAGS,
};

function readKataOptions(flags: Flags): KataOptions {
  if (flags.boolean("trace")) throw new UsageError("-trace is not supported");
  const debug = (flags.boolean("debug") ?? false) || flags.text("log") === "debug";
  const shared = readShimOptions(flags, flags.required("container"), debug);
  return {
    ...shared,
    terminal: shared.terminal ?? false,
    agentUrl: readUrl(flags.required("agent")),
    execId: flags.required("exec-id"),
  };
}

function readUrl(url: string): string {
  if (isAgentUrl(url)) return url;
  throw new UsageError(`-agent must be unix:// and an absolute path, or vsock://CID:PORT, not "${url}"`);
}

/** kata-shim's command line. */
export const KATA_COMMAND_LINE: CommandLine<KataOptions> = {
  program: "kata-shim",
  summary:
    "Is a process of a container on the host: its streams, its signals, its exit status. It talks to kata-proxy.",
  table: KATA_FLAGS,
  examples: [
    "-agent unix:///run/pod/proxy.sock -container web -exec-id web",
    "-agent unix:///run/pod/proxy.sock -container web -exec-id shell -terminal",
  ],
  versionFlag: "version",
  read: readKataOptions,
};
