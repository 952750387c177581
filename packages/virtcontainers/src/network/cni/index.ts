import { HuskError } from "../../errors/index.ts";
import type { NetworkConfig } from "../../types/index.ts";
import { scanNamespace } from "../scan.ts";
import type { Dns, Endpoint, NetworkJoiner, NetworkSite } from "../types.ts";
import { callSiteOf, joinNetwork, leaveNetwork } from "./attach.ts";
import type { CniAttachment } from "./attachment.ts";
import { findNetwork, selectNetworks } from "./find-networks.ts";
import { checkNotTaken, listLinkNames, nextName } from "./link-names.ts";
import { checkNetwork, findPlugins, throwTogether } from "./network-list.ts";
import { pluginDirs } from "./plugin.ts";
import { capabilityArguments, dnsArguments } from "./plugin-arguments.ts";
import { dnsOf } from "./result.ts";

/** Networks that CNI plugins make: https://www.cni.dev/docs/spec/, versions 0.3.0 to 1.0.0. */
export const cniNetwork: NetworkJoiner = {
  type: "CNI",
  hasNamespace: true,
  check: async (config) => {
    selectAll(config);
  },
  attach: attachNetworks,
  findEndpoints,
  findDns,
  checkNetworks: checkAttachments,
  detach: detachNetworks,
  join: joinOneMore,
  leave: async (site, name) => {
    const attachment = attachmentsOf(site).find(({ ifName }) => ifName === name);
    if (attachment) await leaveNetwork(site, attachment);
  },
};

/**
 * Asks the plugins of all networks that a pod has joined whether these are still as they made them. Those whose link had to
 * give its hardware address or more to the VM are left out: there, plugins would miss what is with the guest.
 * @throws HuskError ERR_CNI_PLUGIN, ERR_CNI_PLUGIN_MISSING, ERR_ABORTED
 */
export async function checkAttachments(site: NetworkSite): Promise<void> {
  const changed = site.record.endpoints.filter(({ model }) => model === "bridged" || model === "macvtap");
  const names = changed.map(({ endpoint }) => endpoint.name);
  for (const attachment of attachmentsOf(site)) {
    if (names.includes(attachment.ifName)) continue;
    await checkNetwork(attachment, callSiteOf(site, site.signal));
  }
}

function attachmentsOf({ record }: NetworkSite): readonly CniAttachment[] {
  return record.attachments ?? [];
}

/** Finds the networks, all programs that they need, and what these are told, before anything is made. */
function selectAll(config: NetworkConfig) {
  const { networks, loopback } = selectNetworks(config);
  const dirs = pluginDirs(config);
  for (const list of loopback ? [...networks, loopback] : networks) findPlugins(list, dirs);
  return { networks, loopback, capabilityArgs: capabilityArguments(config, networks) };
}

async function attachNetworks(site: NetworkSite): Promise<void> {
  const { networks, loopback, capabilityArgs } = selectAll(site.config);
  const names = networks.map((_, index) => `eth${index}`);
  // Whoever gave the namespace may have links in it already, and has its loopback as they want it.
  if (!site.record.created) checkNotTaken(names, await listLinkNames(site));
  else if (loopback) await joinNetwork(site, loopback, "lo", {});
  for (const [index, list] of networks.entries()) {
    await joinNetwork(site, list, `eth${index}`, capabilityArgs[index] ?? {});
  }
}

async function findEndpoints(site: NetworkSite): Promise<Endpoint[]> {
  const endpoints = await scanNamespace(site);
  for (const { ifName, network } of attachmentsOf(site)) {
    if (ifName === "lo" || endpoints.some(({ name }) => name === ifName)) continue;
    const text = `the interface ${ifName} of the CNI network ${network} is not in the namespace ${site.record.netNSPath}`;
    throw new HuskError("ERR_NETWORK_LINK", `${text}, or has no address`);
  }
  return endpoints;
}

/** What the results say, the first network's before the others'. */
function findDns(site: NetworkSite): Dns | undefined {
  const all = attachmentsOf(site).flatMap(({ result }) => (result ? [dnsOf(result)] : []));
  const unite = (field: keyof Dns) => [...new Set(all.flatMap((dns) => dns[field]))];
  const dns = { servers: unite("servers"), search: unite("search"), options: unite("options") };
  return dns.servers.length + dns.search.length + dns.options.length > 0 ? dns : undefined;
}

async function detachNetworks(site: NetworkSite): Promise<void> {
  const errors: unknown[] = [];
  for (const attachment of attachmentsOf(site).toReversed()) {
    try {
      await leaveNetwork(site, attachment);
    } catch (error) {
      errors.push(error);
    }
  }
  throwTogether(errors);
}

async function joinOneMore(site: NetworkSite, network: string): Promise<string> {
  const list = findNetwork(site.config, network);
  findPlugins(list, pluginDirs(site.config));
  const name = nextName(site.record, await listLinkNames(site));
  await joinNetwork(site, list, name, dnsArguments(site.config));
  return name;
}
