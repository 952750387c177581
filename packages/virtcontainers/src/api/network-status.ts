import type { EndpointRecord } from "../network/types.ts";
import type { PodRecord } from "../store/pod-record.ts";
import type { PodInterface, PodNetworkStatus } from "../types/index.ts";

/** An interface of a pod, as callers are told of it. */
export function podInterface({ endpoint, model, addr }: EndpointRecord): PodInterface {
  const { name, mac, mtu, kind } = endpoint;
  const addresses = endpoint.addresses.map(({ address, prefix }) => `${address}/${prefix}`);
  return { name, mac, mtu, addresses, kind, interworking: model, removable: addr !== undefined };
}

/** The interfaces of a pod, but for those that are just being added or removed. */
export function podInterfaces({ network }: Pick<PodRecord, "network">): PodInterface[] {
  return (network?.endpoints ?? []).filter(({ unsettled }) => !unsettled).map(podInterface);
}

/** The network of a pod that has a VM; undefined: it has none. */
export function networkStatus(record: PodRecord): PodNetworkStatus | undefined {
  const { config, network } = record;
  if (!network) return undefined;
  return {
    model: config.networkModel ?? "noop",
    netNSPath: network.netNSPath,
    interfaces: podInterfaces(record),
    portMappings: [...(config.networkConfig?.portMappings ?? [])],
  };
}
