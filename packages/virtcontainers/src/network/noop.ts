import { HuskError } from "../errors/index.ts";
import type { NetworkConfig } from "../types/index.ts";
import type { Network } from "./types.ts";

/** What means nothing without a network. */
const NEEDS_NETWORK = ["netNSPath", "cni", "dns", "portMappings", "portmappingWhiteLists"] as const;

/** No network: the VM has no interface but its own loopback. */
export const noopNetwork: Network = {
  type: "noop",
  hasNamespace: false,
  check: async (config: NetworkConfig) => {
    const field = NEEDS_NETWORK.find((name) => config[name] !== undefined);
    if (field === undefined) return;
    const text = `networkConfig.${field}: the pod has no network (networkModel noop)`;
    throw new HuskError("ERR_CONFIG_INVALID", text, { hint: "Choose the networkModel CNI, CNM or user." });
  },
  attach: async () => {},
  findEndpoints: async () => [],
  findDns: () => undefined,
  detach: async () => {},
};
