import { HuskError, isHuskError, messageOf } from "../../errors/index.ts";
import { type CniAttachment, isJoined } from "./attachment.ts";
import { hasCapability, type NetworkList, type PluginConfiguration, programsOf } from "./configuration.ts";
import { findPlugin, nameCall, type PluginCall, runPlugin } from "./plugin.ts";
import { type CniResult, parseResult } from "./result.ts";

/** For whom plugins are run; what else they are told is in the attachment. */
export type CallSite = Pick<PluginCall, "containerId" | "netNSPath" | "binDirs" | "limitMs" | "signal">;

/** From this version on there is CHECK, and DEL is told the result of ADD. */
const FIRST_WITH_CHECK = "0.4.0";

/**
 * Finds all programs that a network needs.
 * @throws HuskError ERR_CNI_PLUGIN_MISSING
 */
export function findPlugins({ name, plugins }: NetworkList, dirs: readonly string[]): void {
  for (const type of plugins.flatMap(programsOf)) findPlugin(type, dirs, name);
}

/**
 * Adds the namespace to a network: each plugin in turn, told the result of the one before.
 * @param onResult is told each plugin's result, before the next one runs
 * @throws HuskError ERR_CNI_PLUGIN_MISSING, ERR_CNI_PLUGIN, ERR_CNI_RESULT, ERR_ABORTED; nothing is undone then
 */
export async function addToNetwork(
  attachment: CniAttachment,
  site: CallSite,
  onResult: (result: CniResult) => void,
): Promise<void> {
  const call = callOf("ADD", attachment, site);
  const { cniVersion, plugins } = attachment.configuration;
  let result: CniResult | undefined;
  for (const plugin of plugins) {
    const text = await runPlugin(plugin.type, deriveConfiguration(attachment, plugin, result), call);
    result = parseResult(text, cniVersion, nameCall(plugin.type, call));
    onResult(result);
  }
}

/**
 * Asks the plugins of a network whether all is still as they made it, as far as the network's version and configuration
 * allow the question.
 * @throws HuskError ERR_CNI_PLUGIN_MISSING, ERR_CNI_PLUGIN, ERR_ABORTED
 */
export async function checkNetwork(attachment: CniAttachment, site: CallSite): Promise<void> {
  const { configuration, result } = attachment;
  if (!isJoined(attachment) || configuration.disableCheck || !hasCheck(configuration)) return;
  const call = callOf("CHECK", attachment, site);
  for (const plugin of configuration.plugins) {
    await runPlugin(plugin.type, deriveConfiguration(attachment, plugin, result), call);
  }
}

/**
 * Takes the namespace out of a network: each plugin in reverse order, also after one that fails, so that as little as
 * possible is left. What has gone already is no error to plugins.
 * @throws HuskError ERR_CNI_PLUGIN_MISSING, ERR_CNI_PLUGIN
 */
export async function deleteFromNetwork(attachment: CniAttachment, site: CallSite): Promise<void> {
  const { configuration, result } = attachment;
  const call = callOf("DEL", attachment, site);
  const previous = hasCheck(configuration) ? result : undefined;
  const errors: unknown[] = [];
  for (const plugin of configuration.plugins.toReversed()) {
    try {
      await runPlugin(plugin.type, deriveConfiguration(attachment, plugin, previous), call);
    } catch (error) {
      errors.push(error);
    }
  }
  throwTogether(errors);
}

/** Throws what went wrong, if anything did: one error, which tells of all. */
export function throwTogether(errors: readonly unknown[]): void {
  const [first, ...others] = errors;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const code = isHuskError(first) ? first.code : "ERR_CNI_PLUGIN";
  throw new HuskError(code, errors.map(messageOf).join("; and "), { cause: first });
}

function hasCheck({ cniVersion }: NetworkList): boolean {
  // Versions here have one digit between dots, so text order is theirs.
  return cniVersion >= FIRST_WITH_CHECK;
}

function callOf(
  command: PluginCall["command"],
  { network, ifName, args, containerId }: CniAttachment,
  site: CallSite,
): PluginCall {
  return { ...site, ...(containerId ? { containerId } : {}), command, network, ifName, args };
}

/** What one plugin reads: CNI specification, "Deriving execution configuration from plugin configuration". */
function deriveConfiguration(
  { configuration, capabilityArgs = {} }: CniAttachment,
  plugin: PluginConfiguration,
  prevResult: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  const { capabilities: _told, ...own } = plugin;
  const { name, cniVersion } = configuration;
  const wanted = Object.entries(capabilityArgs).filter(([capability]) => hasCapability(plugin, capability));
  return {
    ...own,
    cniVersion,
    name,
    ...(wanted.length > 0 ? { runtimeConfig: Object.fromEntries(wanted) } : {}),
    ...(prevResult ? { prevResult } : {}),
  };
}
