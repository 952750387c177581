// Made from proto/types.proto by scripts/kata-messages.ts: change that, and run this.
import { type Message, type MessageType, messageType } from "../../protobuf/index.ts";

/** Family of an address or a route. */
export type IPFamily = number;
export const IPFamily = {
  v4: 0,
  v6: 1,
} as const;

/** When a volume's files are given to its group. */
export type FSGroupChangePolicy = number;
export const FSGroupChangePolicy = {
  /** at every mount */
  Always: 0,
  /** only when the volume's root directory belongs to another group */
  OnRootMismatch: 1,
} as const;

/** An address of an interface. */
export interface IPAddress extends Message {
  family: IPFamily;
  /** in the family's notation */
  address: string;
  /** length of the prefix as decimal digits: "24" */
  mask: string;
}
export const IPAddress: MessageType<IPAddress> = /* @__PURE__ */ messageType(
  "types.IPAddress",
  "1i family 2s address 3s mask",
);

/** A network interface of the guest. It is found by `hwAddr` and given `name`. */
export interface Interface extends Message {
  /** name in the namespace on the host */
  device: string;
  /** name wanted in the guest */
  name: string;
  /** all addresses that it is to have */
  IPAddresses: IPAddress[];
  /** largest packet in bytes, or 0 for the kernel's choice */
  mtu: bigint;
  /** MAC address, six pairs of hex digits with colons */
  hwAddr: string;
  /** path on the PCI bus ("02/00": slot on each bridge, then the device's) or CCW address; `pciAddr` in Kata 1.x */
  devicePath: string;
  /** kind of link as netlink names it: "veth", "macvtap", … */
  type: string;
  /** flags as of netlink's ifinfomsg; only IFF_NOARP is looked at */
  rawFlags: number;
}
export const Interface: MessageType<Interface> = /* @__PURE__ */ messageType(
  "types.Interface",
  "1s device 2s name 3*m IPAddresses 4U mtu 5s hwAddr 6s devicePath 7s type 8u rawFlags",
  [IPAddress],
);

/** A route of the guest. */
export interface Route extends Message {
  /** network in CIDR notation, or "" for the default route */
  dest: string;
  /** address of the next hop, or "" when the network is on the link */
  gateway: string;
  /** interface by its name in the guest */
  device: string;
  /** address that packets are sent from, or "" */
  source: string;
  /** rtnetlink's scope: 0 global, 253 link, 254 host */
  scope: number;
  family: IPFamily;
  /** rtnetlink's RTNH_F_ flags */
  flags: number;
  /** largest packet in bytes, or 0 for the interface's */
  mtu: number;
}
export const Route: MessageType<Route> = /* @__PURE__ */ messageType(
  "types.Route",
  "1s dest 2s gateway 3s device 4s source 5u scope 6i family 7u flags 8u mtu",
);

/** A neighbour whose hardware address is known beforehand. */
export interface ARPNeighbor extends Message {
  toIPAddress?: IPAddress;
  /** interface by its name in the guest */
  device: string;
  /** hardware address */
  lladdr: string;
  /** rtnetlink's NUD_ state */
  state: number;
  /** rtnetlink's NTF_ flags */
  flags: number;
}
export const ARPNeighbor: MessageType<ARPNeighbor> = /* @__PURE__ */ messageType(
  "types.ARPNeighbor",
  "1m toIPAddress 2s device 3s lladdr 4i state 5i flags",
  [IPAddress],
);
