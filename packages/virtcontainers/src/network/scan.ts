import { BlockList, isIPv4 } from "node:net";
import { HuskError } from "../errors/index.ts";
import { checkClashes, checkDuplicates } from "./endpoints/clashes.ts";
import { endpointKind } from "./endpoints/endpoint-kind.ts";
import { findVhostUserSocket } from "./endpoints/vhost-user-socket.ts";
import { readJson } from "./iproute.ts";
import { MAX_INTERFACES } from "./limits.ts";
import { type Link, type LinkAddress, parseLinks } from "./links.ts";
import type { NamespacePlace } from "./namespace-command.ts";
import { placeOf } from "./place.ts";
import { type OfInterface, parseNeighbours, parseRoutes } from "./routes.ts";
import type { Endpoint, InterfaceAddress, InterfaceRoute, NetworkSite } from "./types.ts";

/** What a scan can be told. */
export interface ScanOptions {
  /** where `vhostuser_<address>/vhu.sock` is looked for; default `/tmp` */
  readonly vhostUserBase?: string | undefined;
}

/**
 * The links of a pod's namespace that the VM is to have, by their index, each with its addresses, routes (of the main table)
 * and permanent neighbours. What counts as one: {@link endpointKind}. What the guest's kernel makes by itself (routes to the
 * networks of addresses, link-local addresses of IPv6) is left out, and so are deprecated and temporary addresses.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NETWORK_NAMESPACE, ERR_NETWORK_CLASH, ERR_NOT_SUPPORTED, ERR_ABORTED
 */
export async function scanNamespace(site: NetworkSite, options: ScanOptions = {}): Promise<Endpoint[]> {
  const place = placeOf(site);
  const [[links = [], routes = [], neighbours = []], [routes6 = []]] = await Promise.all([
    readJson(place, "ip", ["-d"], ["address show", "route show table main", "neighbour show nud permanent"]),
    readJson(place, "ip", ["-d", "-6"], ["route show table main"]),
  ]);
  const allRoutes = [...parseRoutes(routes, "inet"), ...parseRoutes(routes6, "inet6")];
  const allNeighbours = parseNeighbours(neighbours);
  const found = parseLinks(links, place).flatMap((link) => {
    const endpoint = describeLink(link, place, options);
    if (!endpoint) return [];
    const ofLink = <T>(all: readonly OfInterface<T>[]) =>
      all.flatMap(({ dev, entry }) => (dev === link.name ? [entry] : []));
    const needed = allRoutes.filter(({ isKernels, entry }) => !isKernels || isToPeer(entry, link.addresses));
    return [{ ...endpoint, routes: ofLink(needed), neighbours: ofLink(allNeighbours) }];
  });
  if (found.length > MAX_INTERFACES) {
    const text = `${place.netNSPath} has ${found.length} interfaces, more than ${MAX_INTERFACES}`;
    throw new HuskError("ERR_NETWORK_LINK", text);
  }
  checkClashes(found);
  return found;
}

function describeLink(link: Link, place: NamespacePlace, options: ScanOptions): Endpoint | undefined {
  const kind = endpointKind(link, place.netNSPath);
  if (!kind) return undefined;
  checkDuplicates(link, place.netNSPath);
  const { name, index, mac, mtu } = link;
  const addresses = link.addresses.filter(isForGuest).map(addressOf);
  const common = { name, index, mac, mtu, addresses, routes: [], neighbours: [] };
  const pciAddress = link.busAddress;
  if (kind === "physical") return { ...common, kind, ...(pciAddress !== undefined && { pciAddress }) };
  const socketPath = findVhostUserSocket(
    addresses.map(({ address }) => address),
    options.vhostUserBase,
  );
  return socketPath === undefined ? { ...common, kind } : { ...common, kind: "vhost-user", socketPath };
}

function isForGuest({ family, scope, isPassing }: LinkAddress): boolean {
  const isOwn = scope === "host" || (family === "inet6" && scope === "link");
  return (family === "inet" || family === "inet6") && !isOwn && !isPassing;
}

/** With a peer, the prefix is the peer's, and the own address stands alone. */
function addressOf({ address, family, peer, prefix }: LinkAddress): InterfaceAddress {
  return { address, prefix: peer === undefined ? prefix : family === "inet" ? 32 : 128 };
}

/** Whether a route leads to a peer: the guest's kernel does not make it, for it gets the own address alone. */
function isToPeer({ dest }: InterfaceRoute, addresses: readonly LinkAddress[]): boolean {
  const [network = "", length] = dest.split("/");
  return addresses.some(({ peer, prefix, family }) => {
    if (peer === undefined || prefix !== Number(length)) return false;
    const peers = new BlockList();
    peers.addSubnet(peer, prefix, family === "inet" ? "ipv4" : "ipv6");
    return peers.check(network, isIPv4(network) ? "ipv4" : "ipv6");
  });
}
