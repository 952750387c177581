import type { InterfaceRequest, Route } from "@husk/wire/hyperstart";
import type { GuestInterface, InterfaceRoute } from "../../network/types.ts";

/**
 * The payload of SETUPINTERFACE. What only our own agent knows (`neighbors`) is left out when it is not needed.
 */
export function interfaceRequest(guestInterface: GuestInterface): InterfaceRequest {
  const { name, mac, mtu, addresses, neighbours } = guestInterface;
  return {
    newDeviceName: name,
    macAddr: mac,
    mtu,
    ipAddresses: addresses.map(({ address, prefix }) => ({ ipAddress: address, netMask: String(prefix) })),
    ...(neighbours.length > 0
      ? { neighbors: neighbours.map(({ address, mac: macAddr }) => ({ ipAddress: address, macAddr })) }
      : {}),
  };
}

/** The payload of SETUPROUTE: what is on a link comes before what lies behind a next hop. */
export function routesRequest(interfaces: readonly GuestInterface[]): { routes: Route[] } {
  const routes = interfaces.flatMap(({ name, routes }) => routes.map((route) => routeOf(name, route)));
  return {
    routes: [...routes.filter(({ gateway }) => !gateway), ...routes.filter(({ gateway }) => gateway)],
  };
}

function routeOf(device: string, { dest, family, gateway, source, metric, onLink }: InterfaceRoute): Route {
  return {
    // The word alone would be IPv4 to an agent when nothing else tells.
    dest: dest === "default" && family === "inet6" ? "::/0" : dest,
    device,
    ...(gateway === undefined ? {} : { gateway }),
    ...(source === undefined ? {} : { src: source }),
    ...(metric === undefined ? {} : { metric }),
    ...(onLink ? { onLink } : {}),
  };
}
