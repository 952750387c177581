import { HuskError, messageOf } from "../../errors/index.ts";

/** Versions of the CNI specification that are spoken here: those with lists of plugins, up to 1.0.0. */
const VERSIONS: readonly string[] = ["0.3.0", "0.3.1", "0.4.0", "1.0.0"];
/** Most plugins of one network. */
const MAX_PLUGINS = 64;
/** CNI specification, section 1: names of networks; the length is ours. */
const NETWORK_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
/** Names of plugins, which are names of files. */
const PLUGIN_TYPE = /^[A-Za-z0-9_.+-]{1,128}$/;

/** The configuration of one plugin: what it knows itself, and what is known of all. */
export interface PluginConfiguration {
  /** name of the plugin's program */
  readonly type: string;
  /** what the plugin can be told at run time */
  readonly capabilities?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** The configuration of a network: CNI specification, "Network configuration format". */
export interface NetworkList {
  readonly name: string;
  readonly cniVersion: string;
  /** whether CHECK must not be run */
  readonly disableCheck: boolean;
  /** in the order of ADD */
  readonly plugins: readonly PluginConfiguration[];
}

/**
 * Reads a network's configuration. That of a single plugin, as `.conf` files hold it, becomes a list of one.
 * @param where what it was read from, for errors
 * @throws HuskError ERR_CNI_CONFIG
 */
export function parseNetworkList(text: string, where: string): NetworkList {
  const value = parseObject(text, where);
  const { name, cniVersion, disableCheck, plugins } = value;
  return {
    name: checkName(name, where),
    cniVersion: checkVersion(cniVersion, where),
    disableCheck: checkFlag(disableCheck, `${where}: disableCheck`),
    plugins: plugins === undefined ? [checkPlugin(value, where)] : checkPlugins(plugins, where),
  };
}

/** The name that a configuration gives itself, be the rest of it as it may. */
export function nameIn(text: string): string | undefined {
  try {
    const { name } = parseObject(text, "");
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a network is but the loopback of the namespace. */
export function isLoopback({ plugins }: NetworkList): boolean {
  return plugins.every(({ type }) => type === "loopback");
}

/** Whether the plugin is to be told what goes by this name. */
export function hasCapability(plugin: PluginConfiguration, capability: string): boolean {
  return plugin.capabilities?.[capability] === true;
}

/** The programs that a plugin needs: its own, and that which gives addresses. */
export function programsOf({ type, ipam }: PluginConfiguration): string[] {
  const delegate = isObject(ipam) ? ipam.type : undefined;
  return typeof delegate === "string" && delegate !== "" ? [type, delegate] : [type];
}

function refuse(where: string, problem: string): never {
  throw new HuskError("ERR_CNI_CONFIG", `${where}: ${problem}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseObject(text: string, where: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    refuse(where, `is not JSON: ${messageOf(error)}`);
  }
  if (!isObject(value)) refuse(where, "must be a JSON object");
  return value;
}

/** A value of a configuration as it is shown in an error. */
function show(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 100);
}

function checkName(name: unknown, where: string): string {
  if (name === undefined) refuse(where, "name: is missing");
  if (typeof name === "string" && NETWORK_NAME.test(name)) return name;
  const rule = "must be 1 to 128 letters, digits, '_', '.' or '-', beginning with a letter or a digit";
  refuse(where, `name: ${rule}, not ${show(name)}`);
}

function checkVersion(version: unknown, where: string): string {
  if (typeof version === "string" && VERSIONS.includes(version)) return version;
  const known = `supported are ${VERSIONS.join(", ")}`;
  // Without a version it is 0.1.0 by the specification's first versions, which no plugin of today needs.
  if (version === undefined || version === "") refuse(where, `cniVersion: is missing; ${known}`);
  refuse(where, `cniVersion: ${show(version)} is not supported; ${known}`);
}

/** The specification of 0.4.0 says that it is a string, and everybody writes a flag. */
function checkFlag(value: unknown, at: string): boolean {
  if (value === undefined || value === false || value === "false") return false;
  if (value === true || value === "true") return true;
  refuse(at, `must be true or false, not ${show(value)}`);
}

function checkPlugins(plugins: unknown, where: string): PluginConfiguration[] {
  if (!Array.isArray(plugins) || plugins.length === 0)
    refuse(where, "plugins: must be a list, and not empty");
  if (plugins.length > MAX_PLUGINS) refuse(where, `plugins: must not be more than ${MAX_PLUGINS}`);
  return plugins.map((plugin: unknown, index) => checkPlugin(plugin, `${where}: plugins[${index}]`));
}

function checkPlugin(plugin: unknown, at: string): PluginConfiguration {
  if (!isObject(plugin)) refuse(at, "must be an object");
  const { type, capabilities, ipam } = plugin;
  const checked = checkType(type, `${at}: type`);
  if (capabilities !== undefined && !isObject(capabilities)) refuse(at, "capabilities: must be an object");
  if (ipam !== undefined && !isObject(ipam)) refuse(at, "ipam: must be an object");
  if (ipam?.type !== undefined && ipam.type !== "") checkType(ipam.type, `${at}: ipam.type`);
  return { ...plugin, type: checked, ...(capabilities ? { capabilities } : {}) };
}

function checkType(type: unknown, at: string): string {
  if (type === undefined) refuse(at, "is missing");
  const isName = typeof type === "string" && PLUGIN_TYPE.test(type) && type !== "." && type !== "..";
  return isName ? type : refuse(at, `must be the name of a plugin, not ${show(type)}`);
}
