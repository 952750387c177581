import { nicHotplugOf } from "../hypervisor/types.ts";
import { joinerOf } from "../network/index.ts";
import { disconnectEndpoint } from "../network/interworking/index.ts";
import { siteOf } from "../network/site.ts";
import type { NetworkSite } from "../network/types.ts";
import { networkOptions } from "./network-options.ts";
import type { OpenPod } from "./open-pod.ts";

/**
 * Takes all interfaces out that are just being plugged in or taken out, with what CNI plugins made for them: of this call,
 * or of one that died in the middle of it.
 */
export async function takeOutUnsettled(pod: OpenPod): Promise<void> {
  const { record, hypervisor, directory } = pod;
  const { network } = record;
  if (!network) return;
  const site = siteOf(record, network, { ...networkOptions(pod), signal: undefined });
  for (const joined of network.endpoints.filter(({ unsettled }) => unsettled)) {
    const { name } = joined.endpoint;
    await nicHotplugOf(hypervisor)?.hotplugRemoveNic(name, directory, {});
    await disconnectEndpoint(joined, site);
    network.endpoints = network.endpoints.filter((other) => other !== joined);
    site.save();
  }
  await leaveNetworks(pod, site);
}

/** Leaves the CNI networks that gave the VM no interface. */
async function leaveNetworks(pod: OpenPod, site: NetworkSite): Promise<void> {
  const { attachments = [], endpoints } = site.record;
  const names = endpoints.map(({ endpoint }) => endpoint.name);
  const left = attachments.filter(({ ifName }) => ifName !== "lo" && !names.includes(ifName));
  if (left.length === 0) return;
  const joiner = joinerOf(pod.record.config.networkModel);
  for (const { ifName } of left) await joiner.leave(site, ifName);
}
