/** Links, addresses and neighbours: rtnetlink(7). */
import { formatHardwareAddress } from "./hardware-address.ts";
import type { Address, Network } from "./ip-address.ts";
import { Family } from "./ip-address.ts";
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
  viewOf,
} from "./message.ts";

/** Protocol number of the socket. */
export const NETLINK_ROUTE = 0;

const RTM = {
  NEWLINK: 16,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWNEIGH: 28,
} as const;
const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINKINFO: 18, STATS64: 23 } as const;
const IFLA_INFO_KIND = 1;
const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;
const NDA = { DST: 1, LLADDR: 2 } as const;

const IFF_UP = 1;
/** Flag of a link on which nobody is asked for hardware addresses. */
export const IFF_NOARP = 0x80;
/** Usable at once: who gives a pod its address knows that nobody else has it. */
const IFA_F_NODAD = 0x02;
const RT_SCOPE_LINK = 253;
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
  /** all its `IFF_*`, IFF_UP too */
  flags: number;
  /** `"veth"`, `"bridge"`, …; `""` for a device */
  kind: string;
}

/** What has gone through a link. */
export interface LinkStats {
  name: string;
  rxPackets: bigint;
  txPackets: bigint;
  rxBytes: bigint;
  txBytes: bigint;
  rxErrors: bigint;
  txErrors: bigint;
  rxDropped: bigint;
  txDropped: bigint;
}

/** A change of a link: what is absent stays. */
export interface LinkChange {
  name?: string;
  mtu?: number;
  up?: boolean;
  noArp?: boolean;
}

/** An address of a link, as the kernel has it. */
export interface LinkAddress extends Network {
  /** index of the link */
  link: number;
  /** whether it means something on its link only */
  isLinkLocal: boolean;
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

/** A link's header and attributes, for those of the answers that are links. */
function readLinks(messages: readonly Message[]): { view: DataView; attributes: Map<number, Uint8Array> }[] {
  return messages
    .filter(({ type }) => type === RTM.NEWLINK)
    .map(({ body }) => {
      if (body.length < LINK_BYTES) throw new NetlinkFormatError("a link is too short");
      return { view: viewOf(body), attributes: decodeAttributes(body.subarray(LINK_BYTES)) };
    });
}

const NO_BYTES = new Uint8Array();

/** The links among the answers. @throws NetlinkFormatError */
export function decodeLinks(messages: readonly Message[]): Link[] {
  return readLinks(messages).map(({ view, attributes }) => {
    const mtu = attributes.get(IFLA.MTU);
    const info = decodeAttributes(attributes.get(IFLA.LINKINFO) ?? NO_BYTES);
    const flags = view.getUint32(8, true);
    return {
      index: view.getInt32(4, true),
      up: (flags & IFF_UP) !== 0,
      name: decodeText(attributes.get(IFLA.IFNAME) ?? NO_BYTES),
      macAddr: formatHardwareAddress(attributes.get(IFLA.ADDRESS) ?? NO_BYTES),
      mtu: mtu?.length === 4 ? viewOf(mtu).getUint32(0, true) : 0,
      flags,
      kind: decodeText(info.get(IFLA_INFO_KIND) ?? NO_BYTES),
    };
  });
}

/** The first of struct rtnl_link_stats64, in their order. */
const STATS = [
  ...["rxPackets", "txPackets", "rxBytes", "txBytes"],
  ...["rxErrors", "txErrors", "rxDropped", "txDropped"],
] as const;

/** The figures of the links among the answers; zeros when the kernel tells none. @throws NetlinkFormatError */
export function decodeLinkStats(messages: readonly Message[]): LinkStats[] {
  return readLinks(messages).map(({ attributes }) => {
    const stats = attributes.get(IFLA.STATS64) ?? NO_BYTES;
    const values = STATS.map((name, at) => [name, readU64(stats, 8 * at)]);
    return {
      name: decodeText(attributes.get(IFLA.IFNAME) ?? NO_BYTES),
      ...Object.fromEntries(values),
    } as LinkStats;
  });
}

/** In halves: not every engine reads a whole one right. */
function readU64(bytes: Uint8Array, at: number): bigint {
  if (bytes.length < at + 8) return 0n;
  const view = viewOf(bytes);
  return (BigInt(view.getUint32(at + 4, true)) << 32n) + BigInt(view.getUint32(at, true));
}

/** Changes a link. */
export function setLink(index: number, { name, mtu, up, noArp }: LinkChange): Request {
  const flags = (up ? IFF_UP : 0) | (noArp ? IFF_NOARP : 0);
  const change = (up === undefined ? 0 : IFF_UP) | (noArp === undefined ? 0 : IFF_NOARP);
  const parts = [linkHeader(index, flags, change)];
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
      const view = viewOf(body);
      const attributes = decodeAttributes(body.subarray(ADDRESS_BYTES));
      // Of a link with a peer, the other is the peer's.
      const bytes = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
      const family = Object.values(Family).find((one) => one === view.getUint8(0));
      if (!family || bytes?.length !== (family === Family.INET ? 4 : 16)) return [];
      const isLinkLocal = view.getUint8(3) >= RT_SCOPE_LINK;
      return [{ family, bytes, prefix: view.getUint8(1), link: view.getUint32(4, true), isLinkLocal }];
    });
}

/** How a neighbour is to be kept; what is absent is for good, as is. */
export interface NeighbourOptions {
  /** `NUD_*` */
  state?: number;
  /** `NTF_*` */
  flags?: number;
}

/**
 * Says which hardware address a neighbour of a link has; unless told otherwise for good: nobody asks for it, and no answer
 * changes it.
 *
 * @param hardware bytes of the hardware address; none for a neighbour that has none
 */
export function addNeighbour(
  link: number,
  { family, bytes }: Address,
  hardware: Uint8Array,
  { state = NUD_PERMANENT, flags = 0 }: NeighbourOptions = {},
): Request {
  // struct ndmsg: family and padding, link, u16 state, u8 flags, u8 type
  const header = [u32(family), u32(link), Uint8Array.of(state & 0xff, (state >> 8) & 0xff, flags, 0)];
  const parts = [...header, attribute(NDA.DST, bytes)];
  if (hardware.length > 0) parts.push(attribute(NDA.LLADDR, hardware));
  return { type: RTM.NEWNEIGH, flags: NLM.CREATE | NLM.REPLACE, body: join(parts) };
}
