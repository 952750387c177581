import { join } from "node:path";
import { HuskError } from "../errors/index.ts";
import { readResolvConf } from "./dns.ts";
import { namespaceName } from "./namespace.ts";
import { scanNamespace } from "./scan.ts";
import type { Network } from "./types.ts";

/** Directory of what namespaces with names have instead of files of `/etc`, see ip-netns(8). */
const NAMESPACE_FILES = "/etc/netns";

/** A namespace that somebody else has filled, or fills in a PreStart hook: what is there is taken. */
export const cnmNetwork: Network = {
  type: "CNM",
  hasNamespace: true,
  async check({ cni, portMappings = [] }) {
    const [extra] = [cni && "cni", portMappings.length > 0 && "portMappings"].filter(Boolean);
    if (!extra) return;
    throw new HuskError("ERR_CONFIG_INVALID", `networkConfig.${extra}: is not for the network model CNM`, {
      hint: "Who fills the namespace does that; or use the model CNI.",
    });
  },
  attach: async () => {},
  async findEndpoints(site) {
    const { numInterfaces = 0 } = site.config;
    const endpoints = await scanNamespace(site);
    if (endpoints.length >= numInterfaces) return endpoints;
    const names = endpoints.map(({ name }) => name).join(", ") || "none";
    const text = `${site.record.netNSPath} has ${endpoints.length} of ${numInterfaces} interfaces wanted: ${names}`;
    throw new HuskError("ERR_NETWORK_LINK", text, {
      hint: "Fill the namespace before the pod is started, or in a PreStart hook.",
    });
  },
  findDns({ record }) {
    const name = record.netNSPath === undefined ? undefined : namespaceName(record.netNSPath);
    return name === undefined ? undefined : readResolvConf(join(NAMESPACE_FILES, name, "resolv.conf"));
  },
  detach: async () => {},
};
