import { createHash } from "node:crypto";
import { HuskError } from "../errors/index.ts";
import type { NetworkConfig } from "../types/index.ts";
import { readResolvConf } from "./dns.ts";
import { checkPortMappings } from "./port-mappings.ts";
import type { Endpoint, Network } from "./types.ts";

/** What QEMU's user network is when it is told nothing else. */
const QEMU_NETWORK = {
  mtu: 1500,
  addresses: [
    { address: "10.0.2.15", prefix: 24 },
    { address: "fec0::15", prefix: 64 },
  ],
  routes: [
    { dest: "default", family: "inet", gateway: "10.0.2.2" },
    { dest: "default", family: "inet6", gateway: "fec0::2" },
  ],
} as const;

/** QEMU's own name server: it asks the host's, whichever they are by then. */
const NAME_SERVER = "10.0.2.3";

/**
 * QEMU's own network: the VM reaches what QEMU's process reaches, and nobody reaches the VM but by published ports. It
 * needs neither root nor a namespace.
 */
export const userNetwork: Network = {
  type: "user",
  hasNamespace: false,
  check: async (config) => {
    checkFields(config);
    await checkPortMappings(config.portMappings ?? []);
  },
  attach: async () => {},
  findEndpoints: async ({ containerId }) => [userEndpoint(containerId)],
  findDns: () => ({
    servers: [NAME_SERVER],
    search: readResolvConf("/etc/resolv.conf")?.search ?? [],
    options: [],
  }),
  detach: async () => {},
};

function userEndpoint(containerId: string): Endpoint {
  return { kind: "user", index: 0, name: "eth0", mac: makeMac(containerId), neighbours: [], ...QEMU_NETWORK };
}

/** A hardware address of our own making, the same for the same pod. */
function makeMac(containerId: string): string {
  const bytes = createHash("sha256").update(containerId).digest().subarray(0, 5);
  // Locally administered, and not a group's.
  return ["02", ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

function checkFields({ netNSPath, cni, numInterfaces = 1, interworkingModel = 0 }: NetworkConfig): void {
  const refuse = (field: string, why: string) => {
    throw new HuskError("ERR_CONFIG_INVALID", `networkConfig.${field}: ${why}`, {
      hint: "Leave it out, or use another networkModel.",
    });
  };
  if (netNSPath !== undefined) refuse("netNSPath", "the network model user has no network namespace");
  if (cni !== undefined) refuse("cni", "the network model user joins no CNI networks");
  if (numInterfaces !== 1) refuse("numInterfaces", "the network model user has one interface");
  if (interworkingModel !== 0)
    refuse("interworkingModel", "the network model user has no link to join to the VM");
}
