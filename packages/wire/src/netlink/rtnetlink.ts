/** Links, addresses, neighbours and routes: rtnetlink(7). */
import { formatHardwareAddress } from "./hardware-address.ts";
import type { Address, Network } from "./ip-address.ts";
import { Family, networkAddress } from "./ip-address.ts";
import type { Message, Request } from "./message.ts";
import {
  attribute,
  decodeAttributes,
  decodeText,
  join,
  NetlinkFormatError,
  NLM,
  text,
  u32,
} from "./message.ts";

/** Protocol number of the socket. */
export const NETLINK_ROUTE = 0;

const RTM = {
  NEWLINK: 16,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  NEWNEIGH: 28,
} as const;
const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4 } as const;
const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;
const NDA = { DST: 1, LLADDR: 2 } as const;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7 } as const;

const IFF_UP = 1;
/** Usable at once: who gives a pod its address knows that nobody else has it. */
const IFA_F_NODAD = 0x02;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const [RT_SCOPE_UNIVERSE, RT_SCOPE_LINK] = [0, 253];
const RTN_UNICAST = 1;
const RTNH_F_ONLINK = 4;
const NUD_PERMANENT = 0x80;
const [LINK_BYTES, ADDRESS_BYTES] = [16, 8];

/** A network interface, as the kernel has it. */
export interface Link {
  index: number;
  name: string;
  /** hardware address, `"02:00:00:00:00:01"`; `""` when it has none */
  macAddr: string;
  mtu: number;
  up: boolean;
}

/** A change of a link: what is absent stays. */
export interface LinkChange {
  name?: string;
  mtu?: number;
  up?: boolean;
}

/** An address of a link, as the kernel has it. */
export interface LinkAddress extends Address {
  /** index of the link */
  link: number;
  /** whether it means something on its link only */
  isLinkLocal: boolean;
}

/** A route to add. */
export interface RouteRequest {
  /** where to; prefix 0 is the default route */
  destination: Network;
  gateway?: Address;
  /** index of the interface */
  link?: number;
  /** address that packets get which have none yet */
  source?: Address;
  /** of several to the same destination, the lowest counts */
  metric?: number;
  /** the gateway is on the link, whatever the addresses say */
  onLink?: boolean;
}

/** struct ifinfomsg */
function linkHeader(index: number, flags: number, change: number): Uint8Array {
  return join([u32(0), u32(index), u32(flags), u32(change)]);
}

/** Asks for a link by its name: answered by one message, or ENODEV. */
export function getLink(name: string): Request {
  return {
    type: RTM.GETLINK,
    flags: 0,
    body: join([linkHeader(0, 0, 0), attribute(IFLA.IFNAME, text(name))]),
  };
}

/** Asks for all links. */
export function dumpLinks(): Request {
  return { type: RTM.GETLINK, flags: NLM.DUMP, body: linkHeader(0, 0, 0) };
}

/** The links among the answers. @throws NetlinkFormatError */
export function decodeLinks(messages: readonly Message[]): Link[] {
  return messages
    .filter(({ type }) => type === RTM.NEWLINK)
    .map(({ body }) => {
      if (body.length < LINK_BYTES) throw new NetlinkFormatError("a link is too short");
      const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
      const attributes = decodeAttributes(body.subarray(LINK_BYTES));
      const mtu = attributes.get(IFLA.MTU);
      return {
        index: view.getInt32(4, true),
        up: (view.getUint32(8, true) & IFF_UP) !== 0,
        name: decodeText(attributes.get(IFLA.IFNAME) ?? new Uint8Array()),
        macAddr: formatHardwareAddress(attributes.get(IFLA.ADDRESS) ?? new Uint8Array()),
        mtu: mtu?.length === 4 ? new DataView(mtu.buffer, mtu.byteOffset, 4).getUint32(0, true) : 0,
      };
    });
}

/** Changes a link. */
export function setLink(index: number, { name, mtu, up }: LinkChange): Request {
  const parts = [linkHeader(index, up ? IFF_UP : 0, up === undefined ? 0 : IFF_UP)];
  if (name !== undefined) parts.push(attribute(IFLA.IFNAME, text(name)));
  if (mtu !== undefined) parts.push(attribute(IFLA.MTU, u32(mtu)));
  return { type: RTM.NEWLINK, flags: 0, body: join(parts) };
}

function addressBody(link: number, { family, prefix, bytes }: Network): Uint8Array[] {
  return [
    Uint8Array.of(family, prefix, 0, 0),
    u32(link),
    attribute(IFA.LOCAL, bytes),
    attribute(IFA.ADDRESS, bytes),
  ];
}

/** Gives a link an address; one that is there already is no error. */
export function addAddress(link: number, address: Network): Request {
  const body = join([...addressBody(link, address), attribute(IFA.FLAGS, u32(IFA_F_NODAD))]);
  return { type: RTM.NEWADDR, flags: NLM.CREATE | NLM.REPLACE, body };
}

/** Takes an address from a link. */
export function deleteAddress(link: number, address: Network): Request {
  return { type: RTM.DELADDR, flags: 0, body: join(addressBody(link, address)) };
}

/** Asks for all addresses of all links. */
export function dumpAddresses(): Request {
  return { type: RTM.GETADDR, flags: NLM.DUMP, body: new Uint8Array(ADDRESS_BYTES) };
}

/** The addresses among the answers. @throws NetlinkFormatError */
export function decodeAddresses(messages: readonly Message[]): LinkAddress[] {
  return messages
    .filter(({ type }) => type === RTM.NEWADDR)
    .flatMap(({ body }) => {
      if (body.length < ADDRESS_BYTES) throw new NetlinkFormatError("an address is too short");
      const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
      const attributes = decodeAttributes(body.subarray(ADDRESS_BYTES));
      // Of a link with a peer, the other is the peer's.
      const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
      const family = Object.values(Family).find((one) => one === view.getUint8(0));
      if (!family || bytes?.length !== (family === Family.INET ? 4 : 16)) return [];
      const isLinkLocal = view.getUint8(3) >= RT_SCOPE_LINK;
      return [{ family, bytes, link: view.getUint32(4, true), isLinkLocal }];
    });
}

/**
 * Says which hardware address a neighbour of a link has, for good: nobody asks for it, and no answer changes it.
 *
 * @param hardware bytes of the hardware address
 */
export function addNeighbour(link: number, { family, bytes }: Address, hardware: Uint8Array): Request {
  // struct ndmsg: family and padding, link, u16 state, flags, type
  const header = [u32(family), u32(link), u32(NUD_PERMANENT)];
  const body = join([...header, attribute(NDA.DST, bytes), attribute(NDA.LLADDR, hardware)]);
  return { type: RTM.NEWNEIGH, flags: NLM.CREATE | NLM.REPLACE, body };
}

/** Adds a route behind those to the same destination with the same metric; the very same is EEXIST. */
export function addRoute({ destination, gateway, link, source, metric, onLink }: RouteRequest): Request {
  const scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  const parts = [
    // struct rtmsg: family, lengths of destination and source, TOS, table, origin, scope, type; then u32 flags
    Uint8Array.of(
      destination.family,
      destination.prefix,
      0,
      0,
      RT_TABLE_MAIN,
      RTPROT_BOOT,
      scope,
      RTN_UNICAST,
    ),
    u32(onLink ? RTNH_F_ONLINK : 0),
  ];
  if (destination.prefix > 0) parts.push(attribute(RTA.DST, networkAddress(destination)));
  if (gateway) parts.push(attribute(RTA.GATEWAY, gateway.bytes));
  if (link !== undefined) parts.push(attribute(RTA.OIF, u32(link)));
  if (metric !== undefined) parts.push(attribute(RTA.PRIORITY, u32(metric)));
  if (source) parts.push(attribute(RTA.PREFSRC, source.bytes));
  return { type: RTM.NEWROUTE, flags: NLM.CREATE | NLM.APPEND, body: join(parts) };
}
