/** Routes as the Kata door has them: told as a whole, and listed. Reference: virtcontainers.md 8.2. */

import { Errno, errorText } from "@husk/tiny";
import { IPFamily, type Route as RouteSpec } from "@husk/wire/kata";
import {
  addRoute,
  decodeLinks,
  decodeRoutes,
  deleteRoute,
  dumpLinks,
  dumpRoutes,
  Family,
  formatAddress,
  NETLINK_ROUTE,
  parseAddress,
  parseNetwork,
  type Route,
  RTNH_F_ONLINK,
} from "@husk/wire/netlink";
import { askFor } from "./ipv6.ts";
import { LOOPBACK } from "./links.ts";
import { NetlinkError, type NetlinkSocket, withNetlink } from "./netlink-socket.ts";

/** Most routes of one request. */
const MAX_ROUTES = 1024;
const [SCOPE_UNIVERSE, SCOPE_LINK] = [0, 253];
const MAX_SCOPE = 255;

/** A route that is wanted, and how the host wrote it, for errors. */
interface Wanted extends Route {
  text: string;
}

function textOf({ dest, gateway, device }: RouteSpec): string {
  const way = [gateway && ` via ${gateway}`, device && ` dev ${device}`];
  return `route to ${dest || "all"}${way.filter(Boolean).join("")}`;
}

function parseRoute(spec: RouteSpec, links: ReadonlyMap<string, number>): Wanted {
  const { dest, gateway, device, source, flags, mtu } = spec;
  const hop = gateway ? parseAddress(gateway) : undefined;
  const from = source ? parseAddress(source) : undefined;
  const family = hop?.family ?? from?.family ?? (spec.family === IPFamily.v6 ? Family.INET6 : Family.INET);
  const everything = { family, bytes: new Uint8Array(family === Family.INET ? 4 : 16), prefix: 0 };
  const destination = dest === "" || dest === "default" ? everything : parseNetwork(dest);
  for (const other of [hop, from])
    if (other && other.family !== destination.family) throw new Error("IPv4 and IPv6 do not mix");
  const link = links.get(device);
  if (device && link === undefined) throw new Error(`there is no network interface "${device}"`);
  if (!hop && link === undefined) throw new Error("it needs a gateway or a device");
  if (spec.scope > MAX_SCOPE) throw new Error(`there is no scope ${spec.scope}`);
  return {
    text: textOf(spec),
    destination,
    ...(hop && { gateway: hop }),
    ...(link !== undefined && { link }),
    ...(from && { source: from }),
    ...(mtu > 0 && { mtu }),
    ...(flags & RTNH_F_ONLINK && { onLink: true }),
    // Nothing is told from the scope of the world: a way without a gateway ends on its link.
    scope: spec.scope || (hop ? SCOPE_UNIVERSE : SCOPE_LINK),
    flags,
    isKernels: false,
  };
}

/** All of a route by which two are the same; IPv6 has no scopes. */
function keyOf({ destination, gateway, link, source, scope, mtu }: Route, withLink: boolean): string {
  const { family, prefix } = destination;
  const hop = gateway ? formatAddress(gateway) : "";
  return [
    `${formatAddress(destination)}/${prefix} via ${hop} from ${source ? formatAddress(source) : ""}`,
    `link ${withLink ? link : ""} scope ${family === Family.INET ? scope : ""} mtu ${mtu ?? ""}`,
  ].join(" ");
}

/** Whether the guest has a route already. Without a device, the kernel has chosen one by the gateway. */
function isThere(wanted: Wanted, present: readonly Route[]): boolean {
  const withLink = wanted.link !== undefined;
  return present.some((route) => keyOf(route, withLink) === keyOf(wanted, withLink));
}

function readRoutes(socket: NetlinkSocket): Route[] {
  return decodeRoutes(socket.ask(dumpRoutes())).filter(({ link }) => link !== LOOPBACK);
}

function readLinks(socket: NetlinkSocket): Map<string, number> {
  return new Map(decodeLinks(socket.ask(dumpLinks())).map(({ name, index }) => [name, index]));
}

/** One that is there already, or has gone already, is no error. */
function tolerate(errno: number, step: () => unknown): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === errno)) throw error;
  }
}

function addWanted(socket: NetlinkSocket, wanted: Wanted): void {
  try {
    tolerate(Errno.EEXIST, () => askFor(socket, wanted.destination.family, addRoute(wanted)));
  } catch (error) {
    throw new Error(`${wanted.text}: ${errorText(error)}`);
  }
}

function parseAll(specs: readonly RouteSpec[], links: ReadonlyMap<string, number>): Wanted[] {
  return specs.map((spec) => {
    try {
      return parseRoute(spec, links);
    } catch (error) {
      throw new Error(`${textOf(spec)}: ${errorText(error)}`);
    }
  });
}

function describe(route: Route, names: ReadonlyMap<number, string>) {
  const { destination, gateway, link, source, scope, flags, mtu } = route;
  return {
    dest: destination.prefix === 0 ? "" : `${formatAddress(destination)}/${destination.prefix}`,
    gateway: gateway ? formatAddress(gateway) : "",
    device: (link !== undefined && names.get(link)) || "",
    source: source ? formatAddress(source) : "",
    scope,
    family: destination.family === Family.INET ? IPFamily.v4 : IPFamily.v6,
    flags,
    mtu: mtu ?? 0,
  };
}

function describeAll(socket: NetlinkSocket) {
  const names = new Map([...readLinks(socket)].map(([name, index]) => [index, name] as const));
  return readRoutes(socket).map((route) => describe(route, names));
}

/** The guest's routes in its main table, as they are; not those of the loopback interface. */
export function listRoutes(): ReturnType<typeof describeAll> {
  return withNetlink(NETLINK_ROUTE, describeAll);
}

/**
 * Makes the guest's routes those given, but for the ones that the kernel makes by itself; gives them as they are then.
 * They may come in any order: a gateway can be reached only when its link has a route.
 *
 * @throws Error naming the route that failed
 */
export function updateRoutes(specs: readonly RouteSpec[]): ReturnType<typeof describeAll> {
  if (specs.length > MAX_ROUTES) throw new Error(`${specs.length} routes are more than ${MAX_ROUTES}`);
  return withNetlink(NETLINK_ROUTE, (socket) => {
    const wanted = parseAll(specs, readLinks(socket));
    const present = readRoutes(socket);
    const isWanted = (route: Route) => wanted.some((one) => isThere(one, [route]));
    const superfluous = present.filter((route) => !route.isKernels && !isWanted(route));
    for (const route of superfluous) tolerate(Errno.ESRCH, () => socket.ask(deleteRoute(route)));
    const missing = wanted.filter((one) => !isThere(one, present));
    const ordered = [
      ...missing.filter(({ gateway }) => !gateway),
      ...missing.filter(({ gateway }) => gateway),
    ];
    for (const route of ordered) addWanted(socket, route);
    return describeAll(socket);
  });
}
