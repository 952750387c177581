/** The guest's routes. Reference: hyperstart.md 2.12. */
import { errorText } from "@husk/tiny";
import type { Route } from "@husk/wire/hyperstart";
import {
  Family,
  NETLINK_ROUTE,
  type Network,
  parseAddress,
  parseNetwork,
  replaceRoute,
} from "@husk/wire/netlink";
import { findLinkByName } from "./interfaces.ts";
import { type NetlinkSocket, withNetlink } from "./netlink-socket.ts";

/** Words for the destination that is everything. */
const EVERYWHERE = ["default", "any", "all"];

function parseDestination(dest: string, family: Family): Network {
  if (!EVERYWHERE.includes(dest)) return parseNetwork(dest);
  return { family, bytes: new Uint8Array(family === Family.INET ? 4 : 16), prefix: 0 };
}

function addRoute(socket: NetlinkSocket, { dest, gateway, device, src }: Route): void {
  const hop = gateway ? parseAddress(gateway) : undefined;
  const source = src ? parseAddress(src) : undefined;
  const destination = parseDestination(dest, hop?.family ?? source?.family ?? Family.INET);
  for (const other of [hop, source]) {
    if (other && other.family !== destination.family) throw new Error("IPv4 and IPv6 do not mix");
  }
  const link = device ? findLinkByName(socket, device) : undefined;
  if (device && !link) throw new Error(`there is no network interface "${device}"`);
  socket.ask(
    replaceRoute({
      destination,
      ...(hop && { gateway: hop }),
      ...(link && { link: link.index }),
      ...(source && { source }),
    }),
  );
}

/** Adds routes, each in the place of one to the same destination. @throws Error naming the route that failed */
export function addRoutes(routes: readonly Route[]): void {
  if (routes.length === 0) return;
  withNetlink(NETLINK_ROUTE, (socket) => {
    for (const route of routes) {
      try {
        addRoute(socket, route);
      } catch (error) {
        const way = [route.gateway && ` via ${route.gateway}`, route.device && ` dev ${route.device}`];
        throw new Error(`route to ${route.dest}${way.filter(Boolean).join("")}: ${errorText(error)}`);
      }
    }
  });
}
