import { HuskError } from "../../errors/index.ts";
import { NetInterworkingModel, type NetworkConfig } from "../../types/index.ts";
import { hasCapability, type NetworkList } from "./configuration.ts";

/** Asks plugins that know it for an interface that a VM can have as it is; others are told not to mind. */
const VM_INTERFACE_ARGS: Readonly<Record<string, string>> = { IgnoreUnknown: "1", HUSK_VM_INTERFACE: "1" };

/** More arguments for plugins, `KEY=VALUE;…`; undefined: there are none. */
export function pluginArguments({ cni, interworkingModel }: NetworkConfig): string | undefined {
  const forVm = interworkingModel === NetInterworkingModel.enlightened ? VM_INTERFACE_ARGS : {};
  const pairs = Object.entries({ ...cni?.args, ...forVm });
  return pairs.length > 0 ? pairs.map(([key, value]) => `${key}=${value}`).join(";") : undefined;
}

/**
 * What plugins with capabilities are told of a pod, for each of its networks. The host's ports can lead to one address
 * only: they lead to the first network that can map them.
 * @throws HuskError ERR_CNI_CONFIG when no network can map the ports that are wanted
 */
export function capabilityArguments(
  config: NetworkConfig,
  networks: readonly NetworkList[],
): Record<string, unknown>[] {
  const { portMappings = [] } = config;
  const mapper = networks.findIndex(({ plugins }) =>
    plugins.some((plugin) => hasCapability(plugin, "portMappings")),
  );
  if (portMappings.length > 0 && mapper < 0) throw noMapper(networks);
  return networks.map((_, index) => ({
    ...(portMappings.length > 0 && index === mapper ? { portMappings: mappingsOf(config) } : {}),
    ...dnsArguments(config),
  }));
}

/** What plugins with capabilities are told of every network: how names are to be resolved, if that is configured. */
export function dnsArguments({ dns }: NetworkConfig): Record<string, unknown> {
  if (!dns) return {};
  return { dns: { servers: dns.servers ?? [], searches: dns.search ?? [], options: dns.options ?? [] } };
}

function mappingsOf({ portMappings = [] }: NetworkConfig): Record<string, unknown>[] {
  return portMappings.map(({ hostPort, containerPort, protocol = "tcp", hostAddress }) => ({
    hostPort,
    containerPort,
    protocol,
    ...(hostAddress ? { hostIP: hostAddress } : {}),
  }));
}

function noMapper(networks: readonly NetworkList[]): HuskError {
  const names = networks.map(({ name }) => name).join(", ") || "none";
  const text = `no CNI network of the pod can map ports (networks: ${names})`;
  const hint =
    'Add a plugin that can to a network: { "type": "portmap", "capabilities": { "portMappings": true } }.';
  return new HuskError("ERR_CNI_CONFIG", text, { hint });
}
