/** Hardware addresses of others that are known beforehand. Reference: virtcontainers.md 8.1. */

import { errorText } from "@husk/tiny";
import type { ARPNeighbor } from "@husk/wire/kata";
import { addNeighbour, NETLINK_ROUTE, parseAddress, parseHardwareAddress } from "@husk/wire/netlink";
import { askFor } from "./ipv6.ts";
import { findLinkByName } from "./links.ts";
import { type NetlinkSocket, withNetlink } from "./netlink-socket.ts";

/** Most neighbours of one request. */
const MAX_NEIGHBOURS = 1024;
const [MAX_STATE, MAX_FLAGS] = [0xffff, 0xff];

function addOne(socket: NetlinkSocket, { toIPAddress, device, lladdr, state, flags }: ARPNeighbor): void {
  const address = parseAddress(toIPAddress?.address ?? "");
  const hardware = lladdr === "" ? new Uint8Array() : parseHardwareAddress(lladdr);
  if (state < 0 || state > MAX_STATE || flags < 0 || flags > MAX_FLAGS)
    throw new Error(`there is no state ${state} with flags ${flags}`);
  const link = findLinkByName(socket, device);
  if (!link) throw new Error(`there is no network interface "${device}"`);
  const options = { flags, ...(state !== 0 && { state }) };
  askFor(socket, address.family, addNeighbour(link.index, address, hardware, options));
}

/** Says which neighbours there are; one that is there already is changed. @throws Error naming the one that failed */
export function addArpNeighbors(neighbours: readonly ARPNeighbor[]): void {
  if (neighbours.length > MAX_NEIGHBOURS)
    throw new Error(`${neighbours.length} neighbours are more than ${MAX_NEIGHBOURS}`);
  withNetlink(NETLINK_ROUTE, (socket) => {
    for (const neighbour of neighbours) {
      try {
        addOne(socket, neighbour);
      } catch (error) {
        throw new Error(`neighbour "${neighbour.toIPAddress?.address ?? ""}": ${errorText(error)}`);
      }
    }
  });
}
