import { isIP } from "node:net";
import { HuskError } from "../errors/index.ts";
import { isJson, type Json, text } from "./links.ts";
import type { InterfaceRoute, Neighbour } from "./types.ts";

/** Most routes, and most permanent neighbours, of all interfaces of a pod. */
const MAX_ENTRIES = 1024;
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;
const LINK_LOCAL = /^fe[89ab][0-9a-f]:.*\/|^ff[0-9a-f]{2}:/;

/** Something of an interface. */
export interface OfInterface<T> {
  /** name of the interface */
  readonly dev: string;
  readonly entry: T;
}

/** A route of an interface. */
export interface FoundRoute extends OfInterface<InterfaceRoute> {
  /** whether the kernel has made it by itself, as it does for each address */
  readonly isKernels: boolean;
}

/**
 * Takes the routes apart that `ip -d -json route show table main` has printed, but for link-local ones: every kernel
 * makes those by itself. An IPv6 route over several links becomes one of each, of which the guest takes the first.
 * @throws HuskError ERR_NETWORK_LINK, ERR_NOT_SUPPORTED
 */
export function parseRoutes(routes: readonly unknown[], family: "inet" | "inet6"): FoundRoute[] {
  checkCount(routes, "routes");
  const single = routes.filter(isJson).flatMap((route) => (family === "inet6" ? splitHops(route) : [route]));
  return single.flatMap((route) => {
    const destination = text(route.dst);
    const isOurs = route.type === undefined || route.type === "unicast";
    if (destination === undefined || !isOurs) return [];
    if (route.nexthops !== undefined || route.via !== undefined || route.encap !== undefined) {
      const text = `the route to ${destination} has several next hops, one of another family, or an encapsulation`;
      throw new HuskError("ERR_NOT_SUPPORTED", text, {
        hint: "Give the namespace routes with one next hop of their own family.",
      });
    }
    const dest = withPrefix(destination, family);
    const dev = text(route.dev);
    if (dev === undefined || (family === "inet6" && LINK_LOCAL.test(dest))) return [];
    const gateway = text(route.gateway);
    const source = text(route.prefsrc);
    const isOnLink = Array.isArray(route.flags) && route.flags.includes("onlink");
    const entry: InterfaceRoute = {
      dest,
      family,
      ...(gateway !== undefined && { gateway }),
      ...(source !== undefined && { source }),
      ...(typeof route.metric === "number" && { metric: route.metric }),
      ...(isOnLink && { onLink: true }),
    };
    return [{ dev, entry, isKernels: route.protocol === "kernel" }];
  });
}

/**
 * Of routes to the same IPv6 destination the kernel makes one with several next hops, also when nobody wanted that: CNI
 * plugins of two networks each add a default route.
 */
function splitHops(route: Json): Json[] {
  const { nexthops, ...common } = route;
  if (!Array.isArray(nexthops)) return [route];
  const hops = nexthops.filter(isJson);
  const isOverOneLinkEach = new Set(hops.map(({ dev }) => dev)).size === nexthops.length;
  return isOverOneLinkEach ? hops.map((hop) => ({ ...common, ...hop })) : [route];
}

/** Takes the neighbours apart that `ip -json neighbour show nud permanent` has printed. @throws HuskError ERR_NETWORK_LINK */
export function parseNeighbours(neighbours: readonly unknown[]): OfInterface<Neighbour>[] {
  checkCount(neighbours, "permanent neighbours");
  return neighbours.filter(isJson).flatMap((neighbour) => {
    const [dev, address = "", mac = ""] = [neighbour.dev, neighbour.dst, neighbour.lladdr].map(text);
    return dev !== undefined && isIP(address) !== 0 && MAC.test(mac)
      ? [{ dev, entry: { address, mac } }]
      : [];
  });
}

function checkCount({ length }: readonly unknown[], what: string): void {
  if (length <= MAX_ENTRIES) return;
  throw new HuskError("ERR_NETWORK_LINK", `the namespace has ${length} ${what}, more than ${MAX_ENTRIES}`, {
    hint: "Aggregate them: a pod needs few.",
  });
}

/** `ip` leaves the prefix of a single address out. */
function withPrefix(destination: string, family: "inet" | "inet6"): string {
  if (destination === "default" || destination.includes("/")) return destination;
  return `${destination}/${family === "inet" ? 32 : 128}`;
}
