import { HuskError, isHuskError, messageOf } from "../../errors/index.ts";
import { deadlineMs } from "../../hypervisor/deadlines.ts";
import { isNamespace } from "../namespace.ts";
import type { NetworkSite } from "../types.ts";
import type { CniAttachment } from "./attachment.ts";
import type { NetworkList } from "./configuration.ts";
import { addToNetwork, type CallSite, deleteFromNetwork } from "./network-list.ts";
import { pluginDirs } from "./plugin.ts";
import { pluginArguments } from "./plugin-arguments.ts";

/** For whom plugins are run. Without a signal where something is undone, which an aborted call needs the more. */
export function callSiteOf(
  { containerId, config, record, deadlineFactor }: NetworkSite,
  signal?: AbortSignal,
): CallSite {
  const { netNSPath = "" } = record;
  return {
    containerId,
    // Plugins are told nothing of a namespace that has gone, and release what they hold elsewhere.
    netNSPath: isNamespace(netNSPath) ? netNSPath : "",
    binDirs: pluginDirs(config),
    limitMs: deadlineMs("cniPlugin", deadlineFactor),
    signal,
  };
}

/**
 * Joins a network, whose record is stored before any plugin runs. What a failed plugin and those before it have made is
 * undone.
 * @throws HuskError ERR_CNI_PLUGIN_MISSING, ERR_CNI_PLUGIN, ERR_CNI_RESULT, ERR_ABORTED, ERR_NETWORK_NAMESPACE
 */
export async function joinNetwork(
  site: NetworkSite,
  configuration: NetworkList,
  ifName: string,
  capabilityArgs: Readonly<Record<string, unknown>>,
): Promise<void> {
  const args = pluginArguments(site.config);
  const before = site.record.attachments ?? [];
  // The bridge plugin keeps the masquerading rules of a pod in one place for each network, whatever the interface.
  const isSecond = before.some(({ network }) => network === configuration.name);
  const attachment: CniAttachment = {
    network: configuration.name,
    ifName,
    configuration,
    capabilityArgs,
    ...(args ? { args } : {}),
    ...(isSecond ? { containerId: `${site.containerId}-${ifName}` } : {}),
  };
  const callSite = callSiteOf(site, site.signal);
  if (callSite.netNSPath === "") {
    const text = `there is no network namespace ${site.record.netNSPath} that could join ${configuration.name}`;
    throw new HuskError("ERR_NETWORK_NAMESPACE", text);
  }
  site.record.attachments = [...before, attachment];
  site.save();
  try {
    // Even a chain that breaks off is undone better with the results that there are.
    await addToNetwork(attachment, callSite, (result) => {
      attachment.result = result;
      attachment.added = (attachment.added ?? 0) + 1;
      site.save();
    });
  } catch (error) {
    throw await undoJoin(site, attachment, error);
  }
}

/** @returns the error to throw: the one that led here, with what could not be undone */
async function undoJoin(site: NetworkSite, attachment: CniAttachment, error: unknown): Promise<unknown> {
  try {
    await leaveNetwork(site, attachment);
    return error;
  } catch (second) {
    const code = isHuskError(error) ? error.code : "ERR_CNI_PLUGIN";
    const text = `${messageOf(error)}; and undoing it failed: ${messageOf(second)}`;
    return new HuskError(code, text, { cause: error });
  }
}

/**
 * Leaves a network, from the record alone; it is in the record no more then.
 * @throws HuskError ERR_CNI_PLUGIN, ERR_CNI_PLUGIN_MISSING; the network is still in the record then
 */
export async function leaveNetwork(site: NetworkSite, attachment: CniAttachment): Promise<void> {
  await deleteFromNetwork(attachment, callSiteOf(site));
  site.record.attachments = site.record.attachments?.filter((other) => other !== attachment) ?? [];
  site.save();
}
