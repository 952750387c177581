import type { Interface, Route } from "@husk/wire/hyperstart";
import type { GuestInterface } from "../../network/types.ts";

/** The payload of SETUPINTERFACE. */
export function interfaceRequest({ name, mac, mtu, addresses }: GuestInterface): Interface {
  return {
    device: "",
    newDeviceName: name,
    macAddr: mac,
    mtu,
    ipAddresses: addresses.map(({ address, prefix }) => ({ ipAddress: address, netMask: String(prefix) })),
  };
}

/** The payload of SETUPROUTE: what is on a link comes before what lies behind a next hop. */
export function routesRequest(interfaces: readonly GuestInterface[]): { routes: Route[] } {
  const routes = interfaces.flatMap(({ name, routes }) =>
    routes.map((route) => ({ ...route, device: name })),
  );
  const sorted = [...routes.filter(({ gateway }) => !gateway), ...routes.filter(({ gateway }) => gateway)];
  return {
    routes: sorted.map(({ dest, gateway, device, source }) => ({
      dest,
      device,
      ...(gateway === undefined ? {} : { gateway }),
      ...(source === undefined ? {} : { src: source }),
    })),
  };
}
