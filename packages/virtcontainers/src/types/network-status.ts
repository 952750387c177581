import type { NetworkModel } from "./kinds.ts";
import type { PortMapping } from "./network-config.ts";

/** A network interface of a pod. */
export interface PodInterface {
  /** name in the pod, and in its network namespace */
  name: string;
  /** hardware address */
  mac: string;
  /** largest packet in bytes */
  mtu: number;
  /** addresses with the length of their prefix, `10.1.2.3/24` */
  addresses: string[];
  /** what it is on the host: `veth`, `macvlan`, `ipvlan`, `macvtap`, `tap`, `physical`, `vhost-user`, `user` */
  kind: string;
  /** how it is joined to the VM: `tcFilter`, `bridged`, `macvtap`, `direct` */
  interworking: string;
  /** whether it was added while the VM ran, and can be removed */
  removable: boolean;
}

/** The network of a pod that has a VM. */
export interface PodNetworkStatus {
  /** kind of set-up */
  model: NetworkModel;
  /** path of the network namespace; undefined: the VM lives in its creator's */
  netNSPath: string | undefined;
  /** interfaces of the VM, in the order of their numbers on the host */
  interfaces: PodInterface[];
  /** ports of the host that lead to the pod */
  portMappings: PortMapping[];
}

/** What `addInterface` adds: a CNI network to join, or a link that somebody has put into the pod's namespace. */
export type InterfaceRequest = { network: string } | { link: string };
