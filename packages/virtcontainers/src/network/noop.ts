import type { Network } from "./types.ts";

/** No network: the VM has no interface but its own loopback. */
export const noopNetwork: Network = {
  type: "noop",
  hasNamespace: false,
  check: async () => {},
  attach: async () => {},
  findEndpoints: async () => [],
  findDns: () => undefined,
  detach: async () => {},
};
