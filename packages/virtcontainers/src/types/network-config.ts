/** The configuration of a pod's network. What 1.0 does not have says so: it is ours alone. */

import type { NetInterworkingModel } from "./kinds.ts";

/** Configuration of the network. Go: `NetworkConfig`. */
export interface NetworkConfig {
  /** path of the network namespace of the pod, which stays when the pod goes; default: one is made, and removed with the pod */
  netNSPath?: string;
  /**
   * number of interfaces wanted. CNI: so many networks are joined, default 1; CNM: at least so many must be found in the
   * namespace
   */
  numInterfaces?: number;
  /** how interfaces are joined to the VM; default `tcFilter` */
  interworkingModel?: NetInterworkingModel;
  /** CNI: where networks and plugins are found, and which networks are joined. Ours alone */
  cni?: CniConfig;
  /** name servers; default: those that the network gives, else the host's. Ours alone */
  dns?: DnsConfig;
  /** ports of the host that lead to ports of the pod. `user` and CNI with a plugin that can. Ours alone */
  portMappings?: PortMapping[];
  /** the networks that reach the pod, and by which ports; default: all do. Ours alone; hyperstart: `portmappingWhiteLists` */
  portmappingWhiteLists?: PortmappingWhiteLists;
}

/** Where CNI networks and plugins are found, and which networks are joined. */
export interface CniConfig {
  /** directories of network configurations (`.conf`, `.conflist`, `.json`); default `/etc/cni/net.d` */
  confDirs?: string[];
  /** directories of plugins, the first that has one wins; default `/opt/cni/bin`, `/usr/lib/cni` */
  binDirs?: string[];
  /** names of the networks to join, as `eth0`, `eth1`, …; default: the first `numInterfaces` by file name */
  networks?: string[];
  /** more arguments for plugins (`CNI_ARGS`) */
  args?: Record<string, string>;
}

/** How names are resolved in the pod: its `/etc/resolv.conf`. */
export interface DnsConfig {
  /** addresses of name servers */
  servers?: string[];
  /** domains to search */
  search?: string[];
  /** options of the resolver */
  options?: string[];
}

/** A port of the host that leads to a port of the pod. */
export interface PortMapping {
  /** default `tcp` */
  protocol?: "tcp" | "udp";
  /** address of the host; default: all of them */
  hostAddress?: string;
  /** port on the host, 1 to 65535 */
  hostPort: number;
  /** port in the pod, 1 to 65535 */
  containerPort: number;
}

/** Networks for which the ports of containers are mapped, `10.0.0.0/8` each. */
export interface PortmappingWhiteLists {
  /** networks that reach all of the pod */
  internalNetworks: string[];
  /** networks that reach containers by their `ports` only */
  externalNetworks: string[];
}
