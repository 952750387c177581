/** Routes: rtnetlink(7). */
import type { Address, Network } from "./ip-address.ts";
import { Family, networkAddress } from "./ip-address.ts";
import type { Message, Request } from "./message.ts";
import {
  attribute,
  decodeAttributes,
  join,
  NetlinkFormatError,
  NLM,
  nested,
  u32,
  viewOf,
} from "./message.ts";

const RTM = { NEWROUTE: 24, DELROUTE: 25, GETROUTE: 26 } as const;
const RTA = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, METRICS: 8, TABLE: 15 } as const;
const RTAX_MTU = 2;

const RT_TABLE_MAIN = 254;
const [RTPROT_KERNEL, RTPROT_BOOT] = [2, 3];
const [RT_SCOPE_UNIVERSE, RT_SCOPE_LINK] = [0, 253];
const RTN_UNICAST = 1;
/** Flag of a route whose gateway is on the link, whatever the addresses say. */
export const RTNH_F_ONLINK = 4;
/** Flags of a next hop that are set by who makes the route, or tell of the link. */
const RTNH_FLAGS = 0xff;
/** Bytes of struct rtmsg. */
const ROUTE_BYTES = 12;

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
  /** `RT_SCOPE_*`; by default the link's without a gateway, the world's with one */
  scope?: number;
  /** largest packet in bytes; that of the link when it is absent */
  mtu?: number;
}

/** A route of the main table, as the kernel has it. */
export interface Route extends RouteRequest {
  scope: number;
  /** `RTNH_F_*` */
  flags: number;
  /** whether the kernel has made it by itself, for an address */
  isKernels: boolean;
}

/** struct rtmsg: family, lengths of destination and source, TOS, table, origin, scope, type; then u32 flags */
function routeHeader({ family, prefix }: Network, scope: number, origin: number, flags: number): Uint8Array {
  return join([Uint8Array.of(family, prefix, 0, 0, RT_TABLE_MAIN, origin, scope, RTN_UNICAST), u32(flags)]);
}

function routeAttributes({ destination, gateway, link, metric, source, mtu }: RouteRequest): Uint8Array[] {
  const parts: Uint8Array[] = [];
  if (destination.prefix > 0) parts.push(attribute(RTA.DST, networkAddress(destination)));
  if (gateway) parts.push(attribute(RTA.GATEWAY, gateway.bytes));
  if (link !== undefined) parts.push(attribute(RTA.OIF, u32(link)));
  if (metric !== undefined) parts.push(attribute(RTA.PRIORITY, u32(metric)));
  if (source) parts.push(attribute(RTA.PREFSRC, source.bytes));
  if (mtu !== undefined) parts.push(nested(RTA.METRICS, [attribute(RTAX_MTU, u32(mtu))]));
  return parts;
}

/** Adds a route behind those to the same destination with the same metric; the very same is EEXIST. */
export function addRoute(route: RouteRequest): Request {
  const { destination, gateway, onLink } = route;
  const scope = route.scope ?? (gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
  const header = routeHeader(destination, scope, RTPROT_BOOT, onLink ? RTNH_F_ONLINK : 0);
  return {
    type: RTM.NEWROUTE,
    flags: NLM.CREATE | NLM.APPEND,
    body: join([header, ...routeAttributes(route)]),
  };
}

/** Removes a route that the kernel has told of. */
export function deleteRoute({ mtu: _, ...route }: Route): Request {
  // No origin: one from another hand is the same route.
  const header = routeHeader(route.destination, route.scope, 0, 0);
  return { type: RTM.DELROUTE, flags: 0, body: join([header, ...routeAttributes(route)]) };
}

/** Asks for all routes of all tables. */
export function dumpRoutes(): Request {
  return { type: RTM.GETROUTE, flags: NLM.DUMP, body: new Uint8Array(ROUTE_BYTES) };
}

/** The ways to others in the main table, among the answers. @throws NetlinkFormatError */
export function decodeRoutes(messages: readonly Message[]): Route[] {
  return messages.filter(({ type }) => type === RTM.NEWROUTE).flatMap(({ body }) => decodeRoute(body));
}

function decodeRoute(body: Uint8Array): Route[] {
  if (body.length < ROUTE_BYTES) throw new NetlinkFormatError("a route is too short");
  const attributes = decodeAttributes(body.subarray(ROUTE_BYTES));
  const [familyNumber, prefix = 0, , , table, origin, scope = 0, type] = body;
  const family = Object.values(Family).find((one) => one === familyNumber);
  const isMain = (readNumber(attributes, RTA.TABLE) ?? table) === RT_TABLE_MAIN;
  if (family === undefined || !isMain || type !== RTN_UNICAST) return [];
  const size = family === Family.INET ? 4 : 16;
  if (prefix > 8 * size) throw new NetlinkFormatError(`a route has a prefix of ${prefix}`);
  const address = (attribute: number): Address | undefined => {
    const bytes = attributes.get(attribute);
    return bytes?.length === size ? { family, bytes } : undefined;
  };
  const [gateway, source] = [address(RTA.GATEWAY), address(RTA.PREFSRC)];
  const [link, metric] = [readNumber(attributes, RTA.OIF), readNumber(attributes, RTA.PRIORITY)];
  const mtu = readNumber(decodeAttributes(attributes.get(RTA.METRICS) ?? new Uint8Array()), RTAX_MTU);
  const flags = viewOf(body).getUint32(8, true) & RTNH_FLAGS;
  return [
    {
      destination: { family, bytes: address(RTA.DST)?.bytes ?? new Uint8Array(size), prefix },
      ...(gateway && { gateway }),
      ...(link !== undefined && { link }),
      ...(source && { source }),
      ...(metric !== undefined && { metric }),
      ...(mtu !== undefined && { mtu }),
      scope,
      flags,
      isKernels: origin === RTPROT_KERNEL,
    },
  ];
}

function readNumber(attributes: ReadonlyMap<number, Uint8Array>, type: number): number | undefined {
  const bytes = attributes.get(type);
  return bytes?.length === 4 ? viewOf(bytes).getUint32(0, true) : undefined;
}
