import { isIPv6 } from "node:net";
import { type ARPNeighbor, type Interface, IPFamily, type Route } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import type { GuestInterface, InterfaceRoute } from "../../network/types.ts";

/** RTNH_F_ONLINK: the next hop is on the link, whatever the addresses say. */
const ON_LINK = 4;
/** NUD_PERMANENT: a neighbour that is not asked for. */
const PERMANENT = 0x80;

/** An interface as the guest is to have it. */
export function interfaceMessage({ name, mac, mtu, addresses }: GuestInterface): MessageInit<Interface> {
  return {
    device: name,
    name,
    hwAddr: mac,
    mtu: BigInt(mtu),
    IPAddresses: addresses.map(({ address, prefix }) => ({
      family: familyOf(address),
      address,
      mask: String(prefix),
    })),
  };
}

/** Neighbours whose hardware address is known. */
export function neighbourMessages({ name, neighbours }: GuestInterface): MessageInit<ARPNeighbor>[] {
  return neighbours.map(({ address, mac }) => ({
    toIPAddress: { family: familyOf(address), address },
    device: name,
    lladdr: mac,
    state: PERMANENT,
  }));
}

/**
 * All routes of some interfaces. The protocol knows no metrics: of several ways to one network, the first by metric is
 * taken.
 */
export function routeMessages(interfaces: readonly GuestInterface[]): MessageInit<Route>[] {
  const routes = interfaces.flatMap(({ name, routes }) => routes.map((route) => ({ name, route })));
  const byMetric = routes.toSorted((one, other) => (one.route.metric ?? 0) - (other.route.metric ?? 0));
  const taken = new Map<string, MessageInit<Route>>();
  for (const { name, route } of byMetric) {
    const key = `${route.family} ${route.dest}`;
    if (!taken.has(key)) taken.set(key, routeMessage(name, route));
  }
  return [...taken.values()];
}

function routeMessage(
  device: string,
  { dest, family, gateway, source, onLink }: InterfaceRoute,
): MessageInit<Route> {
  return {
    dest: dest === "default" ? "" : dest,
    device,
    gateway: gateway ?? "",
    source: source ?? "",
    family: family === "inet6" ? IPFamily.v6 : IPFamily.v4,
    flags: onLink ? ON_LINK : 0,
  };
}

function familyOf(address: string): number {
  return isIPv6(address) ? IPFamily.v6 : IPFamily.v4;
}
