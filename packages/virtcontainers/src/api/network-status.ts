import type { EndpointRecord } from "../network/types.ts";
import type { PodRecord } from "../store/pod-record.ts";
import type { PodInterface, PodNetworkStatus } from "../types/index.ts";

/** An interface of a pod, as callers are told of it. */
export function podInterface({ endpoint, model, addr }: EndpointRecord): PodInterface {
  const { name, mac, mtu, kind } = endpoint;
  const addresses = endpoint.addresses.map(({ address, prefix }) => `${address}/${prefix}`);
  return { name, mac, mtu, addresses, kind, interworking: model, removable: addr !== undefined };
}

/** The network of a pod that has a VM; undefined: it has none. */
export function networkStatus({ config, network }: PodRecord): PodNetworkStatus | undefined {
  if (!network) return undefined;
  return {
    model: config.networkModel ?? "noop",
    netNSPath: network.netNSPath,
    interfaces: network.endpoints.map(podInterface),
    portMappings: [...(config.networkConfig?.portMappings ?? [])],
  };
}
