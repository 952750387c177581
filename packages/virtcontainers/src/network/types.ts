import type { NetworkConfig, NetworkModel } from "../types/index.ts";
import type { CniAttachment } from "./cni/attachment.ts";

/** What a link of a namespace is; `user`: the hypervisor's own network, which has no link. */
export type EndpointKind =
  | "veth"
  | "macvlan"
  | "ipvlan"
  | "macvtap"
  | "tap"
  | "physical"
  | "vhost-user"
  | "user";

/** How a link is joined to the VM; `direct`: the VM has the link itself. */
export type JoinModel = "tcFilter" | "bridged" | "macvtap" | "direct";

/** An address of an interface. */
export interface InterfaceAddress {
  readonly address: string;
  /** length of the network's prefix in bits */
  readonly prefix: number;
}

/** A route through an interface. */
export interface InterfaceRoute {
  /** `default`, or a network `10.0.0.0/8` */
  readonly dest: string;
  readonly family: "inet" | "inet6";
  /** next hop; missing: the destination is on the link */
  readonly gateway?: string;
  /** address that packets get which have none yet */
  readonly source?: string;
  readonly metric?: number;
  /** the gateway is on the link, whatever the addresses say */
  readonly onLink?: boolean;
}

/** A neighbour whose hardware address need not be asked for. */
export interface Neighbour {
  readonly address: string;
  readonly mac: string;
}

/** A network interface, as the guest is to have it. */
export interface GuestInterface {
  readonly name: string;
  /** hardware address, by which the guest finds it */
  readonly mac: string;
  /** largest packet in bytes */
  readonly mtu: number;
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly InterfaceRoute[];
  readonly neighbours: readonly Neighbour[];
}

/** How names are resolved: `/etc/resolv.conf`. */
export interface Dns {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** A link of the pod's namespace that the VM is to have, with all that the guest is told of it. */
export interface Endpoint extends GuestInterface {
  readonly kind: EndpointKind;
  /** number of the link in its namespace, unique there; 0: there is no link */
  readonly index: number;
  /** PCI address of a physical interface */
  readonly pciAddress?: string;
  /** socket of a vhost-user interface */
  readonly socketPath?: string;
}

/** What a link was before it was joined, as far as its endpoint does not tell: it is made so again. */
export interface LinkBefore {
  /** it was down */
  readonly isDown?: boolean;
  /** it took only the multicast that it was told of */
  readonly isSelective?: boolean;
  /** how the kernel made its link-local address of IPv6 */
  readonly addressMode?: string | undefined;
  /** its addresses, as `ip address save` writes them, in base64 */
  readonly addresses?: string;
  /** its routes, as `ip route save` writes them, in base64 */
  readonly routes?: string;
  /** whether the kernel had IPv6 on it */
  readonly hasIpv6?: boolean;
}

/** An interface of the VM, in a pod's record. */
export interface EndpointRecord {
  endpoint: Endpoint;
  model: JoinModel;
  /** kept by who joins the link */
  before?: LinkBefore;
  /** PCI address in the VM; missing: it was there when the VM started, and cannot be taken out */
  addr?: string;
  /** it is just being plugged in or taken out: who finds it so later takes it out */
  unsettled?: true;
}

/** All that a pod has of networks, in its record. What it names may be there; nothing else of the pod's is. */
export interface NetworkRecord {
  /** path of the network namespace that the VM lives in; missing: the caller's */
  netNSPath?: string;
  /** whether that was made for the pod, and is to be removed with it */
  created?: boolean;
  /** what CNI plugins were, or were about to be, asked for, in order */
  attachments?: CniAttachment[];
  endpoints: EndpointRecord[];
  dns?: Dns;
}

/** Whose network is set up, and how. */
export interface NetworkSite {
  /** unique among all pods of the machine: the pod's uuid */
  readonly containerId: string;
  readonly config: NetworkConfig;
  readonly record: NetworkRecord;
  /** Stores the record. To be called before anything is made that the record names, and when there is more to tell. */
  save(): void;
  /** by how much deadlines are stretched */
  readonly deadlineFactor: number;
  readonly signal?: AbortSignal | undefined;
}

/** A kind of network set-up. */
export interface Network {
  readonly type: NetworkModel;
  /** whether the VM lives in a network namespace other than the caller's */
  readonly hasNamespace: boolean;
  /**
   * Checks the configuration before anything is made.
   * @throws HuskError ERR_CONFIG_INVALID, ERR_NOT_SUPPORTED, ERR_CNI_CONFIG, ERR_CNI_PLUGIN_MISSING, ERR_PORT_IN_USE
   */
  check(config: NetworkConfig): Promise<void>;
  /**
   * Joins the namespace, which is there, to networks. Who undoes this calls `detach`, also when this fails.
   * @throws HuskError ERR_CNI_CONFIG, ERR_CNI_PLUGIN_MISSING, ERR_CNI_PLUGIN, ERR_CNI_RESULT, ERR_NETWORK_CLASH, ERR_ABORTED
   */
  attach(site: NetworkSite): Promise<void>;
  /**
   * What the VM is to have.
   * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NETWORK_CLASH, ERR_NOT_SUPPORTED
   */
  findEndpoints(site: NetworkSite): Promise<Endpoint[]>;
  /** The name servers that come with the networks, if any do. */
  findDns(site: NetworkSite): Dns | undefined;
  /**
   * Asks whether the networks are still as they were joined; missing: there is nobody to ask.
   * @throws HuskError ERR_CNI_PLUGIN
   */
  checkNetworks?(site: NetworkSite): Promise<void>;
  /** Undoes `attach`, in reverse order, as far as it came; what has gone already is no error. */
  detach(site: NetworkSite): Promise<void>;
}

/** A kind that can join one more network while the VM runs. */
export interface NetworkJoiner extends Network {
  /** Joins one more network; throws as `attach`. @returns the name of its interface */
  join(site: NetworkSite, network: string): Promise<string>;
  /** Leaves the network of an interface; one that has none is no error. */
  leave(site: NetworkSite, name: string): Promise<void>;
}
