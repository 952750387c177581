/** The guest's routes. Reference: hyperstart.md 2.12. */
import { Errno, errorText } from "@husk/tiny";
import type { Route } from "@husk/wire/hyperstart";
import {
  addRoute,
  Family,
  NETLINK_ROUTE,
  type Network,
  parseAddress,
  parseNetwork,
} from "@husk/wire/netlink";
import { askFor } from "./ipv6.ts";
import { findLinkByName } from "./links.ts";
import { NetlinkError, type NetlinkSocket, withNetlink } from "./netlink-socket.ts";

/** Words for the destination that is everything. */
const EVERYWHERE = ["default", "any", "all"];

function parseDestination(dest: string, family: Family): Network {
  if (!EVERYWHERE.includes(dest)) return parseNetwork(dest);
  return { family, bytes: new Uint8Array(family === Family.INET ? 4 : 16), prefix: 0 };
}

function encodeRoute(socket: NetlinkSocket, { dest, gateway, device, src, metric, onLink }: Route) {
  const hop = gateway ? parseAddress(gateway) : undefined;
  const source = src ? parseAddress(src) : undefined;
  const destination = parseDestination(dest, hop?.family ?? source?.family ?? Family.INET);
  for (const other of [hop, source]) {
    if (other && other.family !== destination.family) throw new Error("IPv4 and IPv6 do not mix");
  }
  const link = device ? findLinkByName(socket, device) : undefined;
  if (device && !link) throw new Error(`there is no network interface "${device}"`);
  const request = addRoute({
    destination,
    ...(hop && { gateway: hop }),
    ...(link && { link: link.index }),
    ...(source && { source }),
    ...(metric !== undefined && { metric }),
    ...(onLink && { onLink }),
  });
  return { family: destination.family, request };
}

/** One that is there already is no error. */
function askForRoute(socket: NetlinkSocket, route: Route): void {
  const { family, request } = encodeRoute(socket, route);
  try {
    askFor(socket, family, request);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.errno === Errno.EEXIST)) throw error;
  }
}

/**
 * Adds routes, in any order: a next hop can be reached only when its link has a route. Of several to the same
 * destination with the same metric the first one counts.
 *
 * @throws Error naming the route that failed
 */
export function addRoutes(routes: readonly Route[]): void {
  if (routes.length === 0) return;
  const ordered = [...routes.filter(({ gateway }) => !gateway), ...routes.filter(({ gateway }) => gateway)];
  withNetlink(NETLINK_ROUTE, (socket) => {
    for (const route of ordered) {
      try {
        askForRoute(socket, route);
      } catch (error) {
        const way = [route.gateway && ` via ${route.gateway}`, route.device && ` dev ${route.device}`];
        throw new Error(`route to ${route.dest}${way.filter(Boolean).join("")}: ${errorText(error)}`);
      }
    }
  });
}
