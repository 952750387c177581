import { join } from "node:path";
import { HuskError } from "../../errors/index.ts";
import type { GroupEnd } from "../../group-process.ts";
import { isProgram } from "../../is-program.ts";
import type { NetworkConfig } from "../../types/index.ts";
import { cleanText } from "../../untrusted-text.ts";
import { runPluginProcess } from "./plugin-process.ts";
import { excerptOf } from "./result.ts";

const DEFAULT_DIRS: readonly string[] = ["/opt/cni/bin", "/usr/lib/cni"];
/** Where plugins find programs such as iptables also when their caller's own path has only those for users. */
const SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
/** Some plugins find fault with what they made themselves: portmap 1.1.1 with each mapping, on a host with ip6tables. */
const CHECK_HINT =
  'See what the plugin says. If it is known to err, set "disableCheck": true in the configuration of the network.';
/** Longest text that is taken of a plugin's error, in characters. */
const MAX_MESSAGE = 2000;

/** What a plugin is asked to do, and for whom. */
export interface PluginCall {
  readonly command: "ADD" | "CHECK" | "DEL";
  /** name of the network, for errors */
  readonly network: string;
  readonly containerId: string;
  /** path of the namespace; empty: it is gone */
  readonly netNSPath: string;
  readonly ifName: string;
  readonly args?: string | undefined;
  /** directories of plugins */
  readonly binDirs: readonly string[];
  /** milliseconds that one plugin may take */
  readonly limitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The directories in which plugins are looked for. */
export function pluginDirs({ cni }: NetworkConfig): readonly string[] {
  return cni?.binDirs ?? DEFAULT_DIRS;
}

/**
 * Finds a plugin's program.
 * @throws HuskError ERR_CNI_PLUGIN_MISSING
 */
export function findPlugin(type: string, dirs: readonly string[], network: string): string {
  const path = dirs.map((dir) => join(dir, type)).find(isProgram);
  if (path) return path;
  const text = `the CNI network ${network} needs the plugin ${type}, which is not in ${dirs.join(", ")}`;
  throw new HuskError("ERR_CNI_PLUGIN_MISSING", text);
}

/** A call of a plugin, as errors name it. */
export function nameCall(type: string, { command, network, ifName }: PluginCall): string {
  return `the CNI plugin ${type} (${command}, network ${network}, interface ${ifName})`;
}

/**
 * Runs a plugin: CNI specification, section 2.
 * @param configuration what it gets on its standard input
 * @returns what it printed
 * @throws HuskError ERR_CNI_PLUGIN_MISSING, ERR_CNI_PLUGIN, ERR_CNI_RESULT, ERR_ABORTED
 */
export async function runPlugin(
  type: string,
  configuration: Readonly<Record<string, unknown>>,
  call: PluginCall,
): Promise<string> {
  const end = await runPluginProcess({
    program: findPlugin(type, call.binDirs, call.network),
    env: environmentOf(call),
    input: JSON.stringify(configuration),
    limitMs: call.limitMs,
    signal: call.signal,
  });
  if (end.killedFor === "output")
    throw new HuskError("ERR_CNI_RESULT", `${nameCall(type, call)} ${end.problem}`);
  if (end.problem) {
    const hint = call.command === "CHECK" ? CHECK_HINT : undefined;
    throw new HuskError("ERR_CNI_PLUGIN", `${nameCall(type, call)} ${explain(end)}`, { hint });
  }
  return end.stdout;
}

function environmentOf(call: PluginCall): Record<string, string> {
  return {
    CNI_COMMAND: call.command,
    CNI_CONTAINERID: call.containerId,
    CNI_NETNS: call.netNSPath,
    CNI_IFNAME: call.ifName,
    CNI_ARGS: call.args ?? "",
    CNI_PATH: call.binDirs.join(":"),
    PATH: process.env.PATH ? `${process.env.PATH}:${SYSTEM_PATH}` : SYSTEM_PATH,
  };
}

/** Why a plugin failed: in the words of its error, else as far as can be seen. */
function explain({ stdout, stderr, problem = "failed" }: GroupEnd): string {
  const told = readError(stdout);
  if (told) return `failed: ${told}`;
  const words = cleanText(stderr).trim();
  const printed = excerptOf(stdout);
  return [problem, words && `stderr: ${words}`, printed && `stdout: ${printed}`].filter(Boolean).join("; ");
}

/** The words of an error as the specification wants it: CNI specification, "Error". */
function readError(stdout: string): string | undefined {
  try {
    const { code, msg, details } = Object(JSON.parse(stdout)) as Record<string, unknown>;
    if (typeof msg !== "string" || msg === "") return undefined;
    const more = typeof details === "string" && details !== "" ? `: ${details}` : "";
    const number = typeof code === "number" ? ` (code ${code})` : "";
    return `${cleanText(msg + more).slice(0, MAX_MESSAGE)}${number}`;
  } catch {
    return undefined;
  }
}
