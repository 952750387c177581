import { accessSync, constants } from "node:fs";
import { HuskError, messageOf } from "../errors/index.ts";
import type { AgentType, Cmd, PodConfig, ProxyType, ShimType } from "../types/index.ts";
import { flag, integer, list, object, path, type Rule, text } from "./rules.ts";

/** Least and most bytes of one file of a log: there is room for what a shim writes at a time, which is at most 128 KiB. */
const MIN_LOG_BYTES = 256 * 1024;
const MAX_LOG_BYTES = 1024 * 1024 * 1024 * 1024;
const MAX_LOG_FILES = 1000;
/** Most bytes of the longest argument that execve(2) takes. */
const MAX_ARGUMENT_BYTES = 131_071;

/** Settings of a proxy. */
export const proxyConfig: Rule = object({ path, debug: flag });

const exitCommand: Rule = (value, at) => {
  list(text(), { empty: false })(value, at);
  if (Buffer.byteLength(JSON.stringify(value)) > MAX_ARGUMENT_BYTES) {
    throw new HuskError("ERR_CONFIG_INVALID", `${at}: must not be longer than ${MAX_ARGUMENT_BYTES} bytes`);
  }
  if ((value as string[])[0]?.startsWith("/")) return;
  throw new HuskError("ERR_CONFIG_INVALID", `${at}[0]: must be absolute`);
};

/** Settings of shims. */
export const shimConfig: Rule = object({
  path,
  debug: flag,
  log: object({ maxBytes: integer(MIN_LOG_BYTES, MAX_LOG_BYTES), maxFiles: integer(1, MAX_LOG_FILES) }),
  exitCommand,
});

/** Which go together. Without an agent: with any. */
const LEGAL: readonly { agent?: AgentType; proxy: ProxyType; shims: readonly ShimType[] }[] = [
  { proxy: "noProxy", shims: ["noopShim"] },
  { proxy: "noopProxy", shims: ["noopShim"] },
  { agent: "hyperstart", proxy: "ccProxy", shims: ["ccShim", "noopShim"] },
  { agent: "kata", proxy: "kataProxy", shims: ["kataShim", "noopShim"] },
];

/**
 * Checks that agent, proxy and shim go together, and that those that are programs have a path.
 * @throws HuskError ERR_NOT_SUPPORTED, ERR_CONFIG_INVALID
 */
export function checkResidents(config: PodConfig): void {
  const { agentType = "hyperstart", proxyType = "noProxy", shimType = "noopShim" } = config;
  const isLegal = LEGAL.some(
    ({ agent = agentType, proxy, shims }) =>
      agent === agentType && proxy === proxyType && shims.includes(shimType),
  );
  if (!isLegal) {
    const text = `the agent ${agentType}, the proxy ${proxyType} and the shim ${shimType} do not go together`;
    throw new HuskError("ERR_NOT_SUPPORTED", text, { hint: `Possible are: ${legalPairs(agentType)}.` });
  }
  if (isProxyProgram(config)) neededPath(config.proxyConfig, "proxyConfig");
  else checkNoSettings(config.proxyConfig, "proxyConfig", proxyType);
  if (isShimProgram(config)) neededPath(config.shimConfig, "shimConfig");
  else checkNoSettings(config.shimConfig, "shimConfig", shimType);
  for (const { id, cmd } of config.containers ?? []) checkConsoleSupported(config, cmd, id);
}

/** What is no program has nothing that could be set. */
function checkNoSettings(settings: object | undefined, at: string, kind: string): void {
  const asked = Object.entries(settings ?? {}).find(([, value]) => value !== undefined && value !== false);
  if (!asked) return;
  const text = `${at}.${asked[0]}: ${kind} is no program, and has no settings`;
  throw new HuskError("ERR_NOT_SUPPORTED", text);
}

/** The pairs of proxy and shim that an agent can have. */
function legalPairs(agentType: AgentType): string {
  return LEGAL.filter(({ agent = agentType }) => agent === agentType)
    .flatMap(({ proxy, shims }) => shims.map((shim) => `${proxy} with ${shim}`))
    .join(", ");
}

/** Whether the pod's proxy is a program. */
export function isProxyProgram({ proxyType }: PodConfig): boolean {
  return proxyType === "ccProxy" || proxyType === "kataProxy";
}

/** Whether the pod's shims are programs. */
export function isShimProgram({ shimType }: PodConfig): boolean {
  return shimType === "ccShim" || shimType === "kataShim";
}

/** The path of a program that has to be known. @throws HuskError ERR_CONFIG_INVALID */
export function neededPath(config: { path?: string } | undefined, at: string): string {
  if (config?.path !== undefined) return config.path;
  const hint =
    "husk's own programs are in build/resident after the set-up; husk fills the path in by itself.";
  throw new HuskError("ERR_CONFIG_INVALID", `${at}.path: is missing, and this kind is a program`, { hint });
}

/**
 * Checks that a command can have a terminal of the host: only a shim can take one.
 * @throws HuskError ERR_NOT_SUPPORTED
 */
export function checkConsoleSupported(config: PodConfig, { console }: Cmd, containerId: string): void {
  if (!console || isShimProgram(config)) return;
  const text = `container "${containerId}": a host terminal (cmd.console) needs a shim that is a program`;
  const hint = 'Create the pod with shimType: "ccShim" or "kataShim" and the proxy that belongs to it.';
  throw new HuskError("ERR_NOT_SUPPORTED", text, { hint, containerId });
}

/**
 * Checks that the programs of a pod's proxy and shims can be executed. A record stays valid without them.
 * @throws HuskError ERR_ASSET_MISSING
 */
export function checkResidentPrograms(config: PodConfig): void {
  if (isProxyProgram(config)) checkExecutable(neededPath(config.proxyConfig, "proxyConfig"), "proxy");
  if (isShimProgram(config)) checkExecutable(neededPath(config.shimConfig, "shimConfig"), "shim");
}

function checkExecutable(program: string, what: string): void {
  try {
    accessSync(program, constants.X_OK);
  } catch (error) {
    const text = `the ${what}'s program cannot be executed: ${messageOf(error)}`;
    const hint = `Check ${what}Config.path; husk's own programs are made by the set-up (npm run setup).`;
    throw new HuskError("ERR_ASSET_MISSING", text, { cause: error, hint });
  }
}
