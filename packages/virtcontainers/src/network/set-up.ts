import { HuskError } from "../errors/index.ts";
import type { VmNetwork } from "../hypervisor/types.ts";
import type { PodRecord } from "../store/pod-record.ts";
import type { PodConfig } from "../types/index.ts";
import { chooseDns } from "./dns.ts";
import { networkOf } from "./index.ts";
import { chooseJoin, connectEndpoint } from "./interworking/index.ts";
import { checkNamespace, makeNamespace, namespacePath } from "./namespace.ts";
import { type SiteOptions, siteOf } from "./site.ts";
import type { EndpointRecord, NetworkSite } from "./types.ts";

/** Whether a pod is to have a network. */
export function hasNetwork({ networkModel = "noop" }: PodConfig): boolean {
  return networkModel !== "noop";
}

/** Checks what a pod's configuration says of networks before anything is made. @throws HuskError as `Network.check` */
export async function checkNetworkConfig({ config }: Pick<PodRecord, "config">): Promise<void> {
  await networkOf(config.networkModel).check(config.networkConfig ?? {});
}

/**
 * Finds, or makes, the network namespace that a pod's VM is to live in, if it is to have one of its own. Who undoes this,
 * or what comes after it, calls `releaseNetwork`.
 * @throws HuskError ERR_NETWORK_NAMESPACE, ERR_NETWORK_LINK, ERR_TIMEOUT, ERR_ABORTED
 */
export async function prepareNamespace(record: PodRecord, options: SiteOptions): Promise<void> {
  const { networkModel, networkConfig = {} } = record.config;
  if (!hasNetwork(record.config)) return;
  record.network = { endpoints: [] };
  if (!networkOf(networkModel).hasNamespace) return;
  const { netNSPath } = networkConfig;
  Object.assign(
    record.network,
    netNSPath === undefined ? { netNSPath: namespacePath(record.uuid), created: true } : { netNSPath },
  );
  const site = siteOf(record, record.network, options);
  if (netNSPath !== undefined) await checkNamespace(site);
  options.save();
  if (netNSPath === undefined) await makeNamespace(site);
}

/**
 * Joins a pod's namespace to its networks, and the links that are in it then to the VM that is about to start.
 * @param vcpus number of virtual CPUs: more than one can serve several queues of an interface
 * @returns undefined: the VM has nothing of networks
 * @throws HuskError as `Network.attach`, `Network.findEndpoints` and `connectEndpoint`
 */
export async function joinNetworks(
  record: PodRecord,
  vcpus: number,
  options: SiteOptions,
): Promise<VmNetwork | undefined> {
  const { network } = record;
  if (!network) return undefined;
  const kind = networkOf(record.config.networkModel);
  const site = siteOf(record, network, options);
  await kind.attach(site);
  for (const endpoint of await kind.findEndpoints(site)) {
    network.endpoints.push({ endpoint, model: chooseJoin(site.config.interworkingModel, endpoint) });
  }
  const dns = chooseDns(site.config.dns, kind.findDns(site));
  if (dns) network.dns = dns;
  options.save();
  const nics = [];
  const vfioDevices = [];
  for (const joined of network.endpoints) {
    const link = await connectEndpoint(joined, site, vcpus);
    if ("backend" in link) nics.push({ ...nicOf(joined), backend: link.backend });
    else vfioDevices.push(link.vfio);
  }
  return { netNSPath: network.netNSPath, nics, vfioDevices };
}

/** The interface of the VM that an endpoint becomes, but for what is behind it. */
export function nicOf({ endpoint: { name, mac, mtu } }: EndpointRecord): {
  name: string;
  mac: string;
  mtu: number;
} {
  return { name, mac, mtu };
}

/** The endpoint of a pod by its name. @throws HuskError ERR_NETWORK_LINK */
export function endpointOf({ record }: Pick<NetworkSite, "record">, name: string): EndpointRecord {
  const found = record.endpoints.find(({ endpoint }) => endpoint.name === name);
  if (found) return found;
  throw new HuskError("ERR_NETWORK_LINK", `the pod has no network interface "${name}"`);
}
